import { readdirSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreUnusable } from '../../../src/record-store/errors.js';
import type { VersionInfo, VersionPolicy, VersionReason } from '../../../src/record-store/store.js';
import { codeOf, guarded, guardedAsync, openToRead } from '../connection.js';
import { isAbandoned, isPart } from './part-files.js';

const ENDING = '.sqlite3';

/** Most versions that are kept unless a store says otherwise. */
export const KEEP = 100;

/** Most bytes of versions, likewise. */
export const KEEP_BYTES = 10 * 1024 ** 3;

/** What a version's name begins with. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z/;

interface VersionRow {
  readonly at: string;
  readonly reason: VersionReason;
  readonly run: string | null;
  readonly step: string | null;
  readonly counts: Readonly<Record<string, number>>;
}

/** The files of a store's versions. */
export class VersionFiles {
  readonly #known = new Map<string, { readonly mtimeMs: number; readonly info: VersionInfo }>();

  constructor(readonly folder: string) {}

  /**
   * What there is, oldest first. Files that are no versions, or cannot be read, are not among them.
   *
   * @throws {@link StoreUnusable} where the folder cannot be read
   */
  list(): readonly VersionInfo[] {
    const found = this.#ids().flatMap((id) => this.#info(id) ?? []);
    for (const id of this.#known.keys())
      if (!found.some((info) => info.id === id)) this.#known.delete(id);
    return found;
  }

  /** @throws {@link StoreUnusable} for one that is there, and cannot be read */
  find(id: string): VersionInfo | undefined {
    if (!this.#ids().includes(id)) return undefined;
    const info = this.#info(id);
    if (info !== undefined) return info;
    throw new StoreUnusable(
      this.#file(id),
      'is damaged, or no version. It is left as it is; choose another one.',
    );
  }

  /** A name for a version of now. It sorts after all others, also where the clock was set back. */
  nameFor(now: Date): string {
    const time = now.toISOString().replaceAll(':', '-');
    const newest =
      this.#ids()
        .findLast((id) => TIME.test(id))
        ?.slice(0, time.length) ?? '';
    return newest > time ? newest : time;
  }

  /** Removes the oldest versions beyond what is to be kept. The newest stays, and so does what was last replaced by another. */
  async trim({ keep = KEEP, keepBytes = KEEP_BYTES }: VersionPolicy): Promise<void> {
    const all = this.list();
    const replaced = all.findLast(({ reason }) => reason === 'before_restore');
    let count = all.length;
    let bytes = all.reduce((sum, info) => sum + info.bytes, 0);
    for (const info of all.slice(0, -1)) {
      if (count <= keep && bytes <= keepBytes) return;
      if (info === replaced) continue;
      await this.remove(info.id);
      count -= 1;
      bytes -= info.bytes;
    }
  }

  /** Removes one, if it is there. Removing a large file takes its time: others go on meanwhile. */
  async remove(id: string): Promise<void> {
    const file = this.#file(id);
    await guardedAsync(file, () => rm(file, { force: true }));
  }

  /** Removes what killed processes have left behind, as far as it can: nothing depends on it. */
  removeAbandoned(now: Date): void {
    for (const name of this.#names().filter(isPart)) {
      const file = join(this.folder, name);
      try {
        const { mtimeMs } = statSync(file);
        if (isAbandoned(name, now.getTime() - mtimeMs)) rmSync(file, { force: true });
      } catch {
        // Somebody else has removed it, or does not let us.
      }
    }
  }

  #names(): readonly string[] {
    return guarded(this.folder, () => {
      try {
        return readdirSync(this.folder);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return [];
        throw error;
      }
    });
  }

  /** Names without their ending, oldest first. */
  #ids(): readonly string[] {
    return this.#names()
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length))
      .sort();
  }

  #file(id: string): string {
    return join(this.folder, `${id}${ENDING}`);
  }

  #info(id: string): VersionInfo | undefined {
    const file = this.#file(id);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const known = this.#known.get(id);
    if (known?.mtimeMs === stat.mtimeMs) return known.info;
    const row = versionRow(file);
    if (row === undefined) return undefined;
    const { run, step, ...rest } = row;
    const info: VersionInfo = {
      id,
      file,
      ...rest,
      ...(run !== null && { run }),
      ...(step !== null && { step }),
      bytes: stat.size,
    };
    this.#known.set(id, { mtimeMs: stat.mtimeMs, info });
    return info;
  }
}

function versionRow(file: string): VersionRow | undefined {
  try {
    const db = openToRead(file);
    try {
      const row = db.prepare('select at, reason, run, step, counts from millrace_version').get() as
        (Omit<VersionRow, 'counts'> & { readonly counts: string }) | undefined;
      return row && { ...row, counts: JSON.parse(row.counts) as VersionRow['counts'] };
    } finally {
      db.close();
    }
  } catch {
    // Something else that somebody keeps in this folder, or a damaged one: it says so when it is asked for by its name.
    return undefined;
  }
}
