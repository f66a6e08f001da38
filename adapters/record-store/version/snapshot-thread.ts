import type fs from 'node:fs';
import type path from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import type { VersionReason } from '../../../src/record-store/store.js';

/** The parts of Node that a thread uses: it requires them itself. */
interface Threads {
  readonly parentPort: MessagePort | null;
  /** The module of SQLite's driver. */
  readonly workerData: string;
}
type Files = Pick<typeof fs, 'existsSync' | 'linkSync' | 'renameSync' | 'rmSync'>;

/** What a snapshot is asked for. */
export interface SnapshotTask {
  /** Messages about it bear its number. */
  readonly number: number;
  readonly source: string;
  /** Where it is made; it gets its own name when it is whole. */
  readonly part: string;
  readonly folder: string;
  /** Its name, with a number behind it where there is one of this name. */
  readonly name: string;
  readonly at: string;
  readonly reason: VersionReason;
  readonly run: string | null;
  readonly step: string | null;
  /** Tables by record type. */
  readonly tables: Readonly<Record<string, string>>;
}

/** What is told of a snapshot: that what it copies is fixed from now on, then that it is there. */
export type SnapshotMessage = (
  | { readonly kind: 'pinned' }
  | { readonly kind: 'done'; readonly id: string }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string }
) & { readonly number: number };

/**
 * Copies databases as they are at one moment, while others go on writing to them. Runs in a thread of its own, from the text of
 * this function and of those that it is given: they may use nothing but what they are given and what they require.
 */
export function takeSnapshots(
  require: NodeJS.Require,
  describe: typeof describeVersion,
  name: typeof nameVersion,
): void {
  const { parentPort, workerData: driver } = require('node:worker_threads') as Threads;
  const { rmSync } = require('node:fs') as Files;
  const Sqlite = require(driver) as typeof Database;
  const tell = (message: SnapshotMessage): void => parentPort?.postMessage(message);

  const copy = async (task: SnapshotTask): Promise<void> => {
    const source = new Sqlite(task.source, { readonly: true, timeout: 5_000 });
    try {
      source.exec('begin');
      // The transaction sees the database of this moment from its first read on.
      source.prepare('select count(*) from sqlite_schema').get();
      tell({ kind: 'pinned', number: task.number });
      await source.backup(task.part, { progress: () => 5_000 });
      source.exec('commit');
    } finally {
      source.close();
    }
  };

  const make = async (task: SnapshotTask): Promise<void> => {
    const { number, part } = task;
    try {
      await copy(task);
      describe(Sqlite, task);
      tell({ kind: 'done', number, id: name(require, task) });
    } catch (error) {
      rmSync(part, { force: true });
      rmSync(`${part}-journal`, { force: true });
      const { message, code } = error as { readonly message: string; readonly code?: string };
      tell({ kind: 'failed', number, message, code: code ?? '' });
    }
  };

  parentPort?.on('message', (task: SnapshotTask) => void make(task));
}

/** Writes into a copy what it is a version of. Part of {@link takeSnapshots}. */
export function describeVersion(
  Sqlite: typeof Database,
  { part, tables, at, reason, run, step }: SnapshotTask,
): void {
  const made = new Sqlite(part);
  try {
    // One file that any tool opens, also where it may not write.
    made.pragma('journal_mode = DELETE');
    const counts = Object.fromEntries(
      Object.entries(tables).map(([name, table]) => [
        name,
        made.prepare(`select count(*) from "${table}"`).pluck().get(),
      ]),
    );
    made.transaction(() => {
      made.exec(
        'create table if not exists millrace_version (at text, reason text, run text, step text, counts text); delete from millrace_version;',
      );
      made
        .prepare('insert into millrace_version values (?, ?, ?, ?, ?)')
        .run(at, reason, run, step, JSON.stringify(counts));
      // Nobody works on a version, whoever worked on what it is of.
      made
        .prepare(
          "update millrace_runs set status = 'interrupted', ended_at = ? where ended_at is null",
        )
        .run(at);
      made.exec('delete from millrace_passes');
    })();
  } finally {
    made.close();
  }
}

/** Gives a whole version its name. Part of {@link takeSnapshots}. @returns the name, which nobody else has taken */
export function nameVersion(require: NodeJS.Require, { part, folder, name }: SnapshotTask): string {
  const files = require('node:fs') as Files;
  const { join } = require('node:path') as Pick<typeof path, 'join'>;
  /** No version is ever written over. */
  const take = (target: string): boolean => {
    try {
      files.linkSync(part, target);
      files.rmSync(part);
      return true;
    } catch (error) {
      const { code = '' } = error as { readonly code?: string };
      if (code === 'EEXIST') return false;
      // Some file systems have no links; others than these have other troubles.
      if (!/^(?:EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS|EINVAL|EMLINK)$/.test(code)) throw error;
      if (files.existsSync(target)) return false;
      files.renameSync(part, target);
      return true;
    }
  };
  for (let at = 1; at < 10_000; at += 1) {
    const id = at === 1 ? name : `${name}-${String(at).padStart(4, '0')}`;
    if (take(join(folder, `${id}.sqlite3`))) return id;
  }
  throw new Error(`there are too many versions called ${name}`);
}
