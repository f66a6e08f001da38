import type fs from 'node:fs';
import type path from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import type { VersionReason } from '../../../src/record-store/store.js';

/** The parts of Node that a thread uses: it requires them itself. */
interface Threads {
  readonly parentPort: MessagePort | null;
  readonly workerData: SnapshotTask;
}
type Files = Pick<typeof fs, 'existsSync' | 'linkSync' | 'renameSync' | 'rmSync'>;

/** What a snapshot is asked for. */
export interface SnapshotTask {
  /** The module of SQLite's driver. */
  readonly driver: string;
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

/** What a snapshot tells: that what it copies is fixed from now on, then that it is there. */
export type SnapshotMessage =
  | { readonly kind: 'pinned' }
  | { readonly kind: 'done'; readonly id: string }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string };

/**
 * Copies a database as it is at one moment, while others go on writing to it. Runs in a thread of its own, from the text of
 * this function and of those that it is given: they may use nothing but what they are given and what they require.
 */
export function takeSnapshot(
  require: NodeJS.Require,
  describe: typeof describeVersion,
  name: typeof nameVersion,
): void {
  const { parentPort, workerData: task } = require('node:worker_threads') as Threads;
  const { rmSync } = require('node:fs') as Files;
  const Sqlite = require(task.driver) as typeof Database;
  const tell = (message: SnapshotMessage): void => parentPort?.postMessage(message);

  const copy = async (): Promise<void> => {
    const source = new Sqlite(task.source, { readonly: true, timeout: 5_000 });
    try {
      source.exec('begin');
      // The transaction sees the database of this moment from its first read on.
      source.prepare('select count(*) from sqlite_schema').get();
      tell({ kind: 'pinned' });
      await source.backup(task.part, { progress: () => 5_000 });
      source.exec('commit');
    } finally {
      source.close();
    }
  };

  copy()
    .then(() => {
      describe(require, task);
      tell({ kind: 'done', id: name(require, task) });
    })
    .catch((error: unknown) => {
      rmSync(task.part, { force: true });
      rmSync(`${task.part}-journal`, { force: true });
      const { message, code } = error as { readonly message: string; readonly code?: string };
      tell({ kind: 'failed', message, code: code ?? '' });
    });
}

/** Writes into a copy what it is a version of. Part of {@link takeSnapshot}. */
export function describeVersion(
  require: NodeJS.Require,
  { driver, part, tables, at, reason, run, step }: SnapshotTask,
): void {
  const Sqlite = require(driver) as typeof Database;
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

/** Gives a whole version its name. Part of {@link takeSnapshot}. @returns the name, which nobody else has taken */
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
