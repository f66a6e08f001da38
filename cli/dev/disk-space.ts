import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';

/** With less than this, SQLite and its log of changes have no room for the next steps of runs. */
const FULL_BYTES = 4 * 1024 * 1024;

/** Time between two looks while `millrace dev` runs. */
const LOOK_INTERVAL_MS = 5_000;

/** What went wrong because no space was left for the state of `millrace dev`. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull';
  constructor(
    /** The state folder. */
    readonly folder: string,
    readonly freeBytes: number,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      `The disk that holds ${folder} is full (${inKiB(freeBytes)} free): ${reason}\n` +
        'Make room there and start again. Runs that were saved go on.',
      { cause },
    );
  }
}

/** The error as {@link DiskFull} where the folder's disk is full; as it is otherwise. */
export async function explainedByFullDisk(folder: string, error: unknown): Promise<unknown> {
  const freeBytes = await freeBytesOf(folder);
  if (freeBytes === undefined || freeBytes >= FULL_BYTES) return error;
  return new DiskFull(folder, freeBytes, error);
}

/** Says when the disk of a folder is full and when it no longer is, once for each time. */
export class DiskWatch {
  readonly #timer: NodeJS.Timeout;
  #full = false;

  constructor(
    private readonly folder: string,
    private readonly log: Logger,
  ) {
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const freeBytes = await freeBytesOf(this.folder);
    const full = freeBytes !== undefined && freeBytes < FULL_BYTES;
    if (full === this.#full) return;
    this.#full = full;
    const { folder } = this;
    if (!full) this.log.info({ folder }, 'the disk has room again; runs go on');
    else
      this.log.error(
        { folder, free: inKiB(freeBytes) },
        'the disk is full: the embedded Temporal server cannot save what runs do. Make room; they go on then',
      );
  }
}

/** Undefined where the system does not tell. */
async function freeBytesOf(folder: string): Promise<number | undefined> {
  // A folder that could not even be made would have been on its parent's disk.
  const found = await statfs(folder).catch(() => statfs(dirname(folder)).catch(() => undefined));
  return found === undefined ? undefined : found.bavail * found.bsize;
}

function inKiB(bytes: number): string {
  return `${String(Math.floor(bytes / 1_024))} KiB`;
}
