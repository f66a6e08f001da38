import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { withFileLock } from './file-lock.js';
import { identifyProcess, processState } from './process-identity.js';

/** The folder of a project that holds what `millrace dev` keeps. */
export const STATE_FOLDER = '.millrace';

const addressesSchema = z.object({
  /** The HTTP API. */
  httpUrl: z.string(),
  temporal: z.object({
    address: z.string(),
    namespace: z.string(),
    uiUrl: z.string().exactOptional(),
    /** False: a server that was configured, and needs its own settings to get in. */
    embedded: z.boolean(),
  }),
  taskQueue: z.string(),
});

const recordSchema = z.object({
  pid: z.number().int(),
  started: z.string().nullable(),
  /** Absent while the process is starting. */
  addresses: addressesSchema.exactOptional(),
});

/** Where a running `millrace dev` can be reached. */
export type DevAddresses = Readonly<z.infer<typeof addressesSchema>>;

type DevRecord = z.infer<typeof recordSchema>;

/** `millrace dev` runs in this project already. */
export class DevAlreadyRunning extends Error {
  override readonly name = 'DevAlreadyRunning';
  constructor(
    readonly dir: string,
    readonly pid: number,
    readonly httpUrl: string | undefined,
  ) {
    super(
      `\`millrace dev\` already runs in ${dir}: process ${String(pid)}` +
        `${httpUrl === undefined ? '' : ` at ${httpUrl}`}. Use that one, or stop it first (Ctrl-C, or kill ${String(pid)}).`,
    );
  }
}

/**
 * A note in a project, `.millrace/dev.json`, by which other commands find the `millrace dev` that runs there. Notes of
 * processes that are gone are recognised, also when their id has been given to another process.
 */
export class DevRecordFile {
  private constructor(
    private readonly file: string,
    private readonly owner: DevRecord,
    /** The one before has not taken its note away: it was killed, or crashed. */
    readonly previousLost: boolean,
  ) {}

  /**
   * Claims a project for this process.
   *
   * @throws {@link DevAlreadyRunning}
   */
  static async claim(dir: string): Promise<DevRecordFile> {
    const file = recordFile(dir);
    await mkdir(dirname(file), { recursive: true });
    return withFileLock(`${file}.lock`, async () => {
      const found = await readRecord(file);
      if (found !== undefined && (await processState(found)) !== 'gone') {
        throw new DevAlreadyRunning(dir, found.pid, found.addresses?.httpUrl);
      }
      const record = new DevRecordFile(
        file,
        await identifyProcess(process.pid),
        found !== undefined,
      );
      await record.#write(record.owner);
      return record;
    });
  }

  /** Notes where this process can be reached. */
  async note(addresses: DevAddresses): Promise<void> {
    await this.#write({ ...this.owner, addresses });
  }

  /** Gives the project up. */
  async remove(): Promise<void> {
    await rm(this.file, { force: true });
  }

  async #write(record: DevRecord): Promise<void> {
    const draft = `${this.file}.${String(process.pid)}.tmp`;
    await writeFile(draft, `${JSON.stringify(record, undefined, 2)}\n`);
    await rename(draft, this.file);
  }
}

/** Where the `millrace dev` that runs in a project can be reached; undefined where none runs or it is still starting. */
export async function findDev(dir: string): Promise<DevAddresses | undefined> {
  const found = await readRecord(recordFile(dir));
  if (found?.addresses === undefined || (await processState(found)) === 'gone') return undefined;
  return found.addresses;
}

function recordFile(dir: string): string {
  return join(dir, STATE_FOLDER, 'dev.json');
}

async function readRecord(file: string): Promise<DevRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Absent, or of another version: records are replaced by renaming, so a half-written one is never seen.
    return undefined;
  }
}
