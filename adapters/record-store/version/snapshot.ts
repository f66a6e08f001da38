import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreUnusable } from '../../../src/record-store/errors.js';
import type { VersionReason } from '../../../src/record-store/store.js';
import { reasonOf } from '../connection.js';
import type { RecordModels } from '../record-model.js';
import { takeSnapshot, type SnapshotMessage, type SnapshotTask } from './snapshot-thread.js';

/** What a version is made of and for. */
export interface SnapshotRequest {
  /** The database. */
  readonly source: string;
  /** The folder of versions. */
  readonly folder: string;
  readonly models: RecordModels;
  readonly reason: VersionReason;
  readonly run?: string | undefined;
  readonly step?: string | undefined;
  readonly now: Date;
}

/** A snapshot that is being made. */
export interface Snapshot {
  /** Resolves when what it will hold is fixed: later writes are not in it. */
  readonly pinned: Promise<void>;
  /** The version's id, when it is there. */
  readonly done: Promise<string>;
}

/**
 * Makes a version of a database, in a thread of its own: writers go on meanwhile.
 *
 * @throws {@link StoreUnusable} by both promises, where it could not be made; no half version is left
 */
export function makeSnapshot(request: SnapshotRequest): Snapshot {
  const { folder, source, models, reason, run, step, now } = request;
  mkdirSync(folder, { recursive: true });
  const id = freeId(folder, now);
  const target = join(folder, `${id}.sqlite3`);
  const task: SnapshotTask = {
    driver: createRequire(import.meta.url).resolve('better-sqlite3'),
    source,
    target,
    part: `${target}.part`,
    at: now.toISOString(),
    reason,
    run: run ?? null,
    step: step ?? null,
    tables: Object.fromEntries([...models.values()].map(({ name, table }) => [name, table])),
  };
  let pin = (): void => undefined;
  let unpin: (error: Error) => void = () => undefined;
  const pinned = new Promise<void>((resolve, reject) => {
    pin = resolve;
    unpin = reject;
  });
  const done = new Promise<string>((resolve, reject) => {
    const thread = new Worker(`(${takeSnapshot.toString()})(require)`, {
      eval: true,
      workerData: task,
    });
    const fail = (error: Error): void => {
      reject(error);
      unpin(error);
    };
    thread.on('message', (message: SnapshotMessage) => {
      if (message.kind === 'pinned') pin();
      else if (message.kind === 'done') resolve(id);
      else
        fail(
          new StoreUnusable(
            target,
            `the version could not be made: ${reasonOf(message.code) ?? message.message}`,
          ),
        );
    });
    thread.on('error', fail);
    thread.on('exit', () => {
      fail(new StoreUnusable(target, 'the version could not be made: its thread ended.'));
    });
  });
  // Who waits for one of them only must not be told of the other as an accident.
  pinned.catch(() => undefined);
  done.catch(() => undefined);
  return { pinned, done };
}

/** The time, as a name that sorts by it and that every file system takes. */
function freeId(folder: string, now: Date): string {
  const time = now.toISOString().replaceAll(':', '-');
  for (let at = 1; ; at += 1) {
    const id = at === 1 ? time : `${time}-${String(at).padStart(3, '0')}`;
    const taken = ['', '.part'].some((end) => existsSync(join(folder, `${id}.sqlite3${end}`)));
    if (!taken) return id;
  }
}
