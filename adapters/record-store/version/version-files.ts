import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { VersionInfo, VersionPolicy, VersionReason } from '../../../src/record-store/store.js';
import { codeOf, openToRead } from '../connection.js';

const ENDING = '.sqlite3';

/** Most versions that are kept unless a store says otherwise. */
export const KEEP = 100;

/** Most bytes of versions, likewise. */
export const KEEP_BYTES = 10 * 1024 ** 3;

/** What is not whole after so long belongs to a process that was killed. */
const ABANDONED_MS = 3_600_000;

interface VersionRow {
  readonly at: string;
  readonly reason: VersionReason;
  readonly run: string | null;
  readonly step: string | null;
  readonly counts: string;
}

/** The files of a store's versions. */
export class VersionFiles {
  readonly #known = new Map<string, { readonly mtimeMs: number; readonly info: VersionInfo }>();

  constructor(readonly folder: string) {}

  /** What there is, oldest first. Files that are no versions, or cannot be read, are not among them. */
  list(): readonly VersionInfo[] {
    const found = this.#names()
      .filter((name) => name.endsWith(ENDING))
      .flatMap((name) => this.#info(name) ?? []);
    for (const id of this.#known.keys())
      if (!found.some((info) => info.id === id)) this.#known.delete(id);
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Removes the oldest versions beyond what is to be kept. The newest stays, and so does what was last replaced by another. */
  trim({ keep = KEEP, keepBytes = KEEP_BYTES }: VersionPolicy): void {
    const all = this.list();
    const replaced = all.findLast(({ reason }) => reason === 'before_restore');
    let count = all.length;
    let bytes = all.reduce((sum, info) => sum + info.bytes, 0);
    for (const info of all.slice(0, -1)) {
      if (count <= keep && bytes <= keepBytes) return;
      if (info === replaced) continue;
      rmSync(info.file, { force: true });
      count -= 1;
      bytes -= info.bytes;
    }
  }

  /** Removes what killed processes have left behind. */
  removeAbandoned(now: Date): void {
    for (const name of this.#names().filter((other) => other.includes(`${ENDING}.part`))) {
      const file = join(this.folder, name);
      const at = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      if (now.getTime() - at > ABANDONED_MS) rmSync(file, { force: true });
    }
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  #info(name: string): VersionInfo | undefined {
    const id = name.slice(0, -ENDING.length);
    const file = join(this.folder, name);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    const known = this.#known.get(id);
    if (known?.mtimeMs === stat.mtimeMs) return known.info;
    const row = versionRow(file);
    if (row === undefined) return undefined;
    const { run, step, counts, ...rest } = row;
    const info: VersionInfo = {
      id,
      file,
      ...rest,
      ...(run !== null && { run }),
      ...(step !== null && { step }),
      counts: JSON.parse(counts) as Readonly<Record<string, number>>,
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
      return db.prepare('select at, reason, run, step, counts from millrace_version').get() as
        VersionRow | undefined;
    } finally {
      db.close();
    }
  } catch {
    // Something else that somebody keeps in this folder, or a damaged one: it says so when it is asked for by its name.
    return undefined;
  }
}
