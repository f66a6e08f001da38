import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreUnusable } from '../../../src/record-store/errors.js';
import type { VersionReason } from '../../../src/record-store/store.js';
import { guarded, reasonOf } from '../connection.js';
import type { RecordModels } from '../record-model.js';
import { partFile } from './part-files.js';
import {
  describeVersion,
  nameVersion,
  takeSnapshot,
  type SnapshotMessage,
  type SnapshotTask,
} from './snapshot-thread.js';

/** What a version is made of and for. */
export interface SnapshotRequest {
  /** The database. */
  readonly source: string;
  /** The folder of versions. */
  readonly folder: string;
  /** Its name in there, unless somebody else takes it first. */
  readonly name: string;
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
  const { folder, source, name, models, reason, run, step, now } = request;
  guarded(folder, () => mkdirSync(folder, { recursive: true }));
  const part = partFile(folder, name);
  const task: SnapshotTask = {
    driver: createRequire(import.meta.url).resolve('better-sqlite3'),
    source,
    part,
    folder,
    name,
    at: now.toISOString(),
    reason,
    run: run ?? null,
    step: step ?? null,
    tables: Object.fromEntries([...models.values()].map((model) => [model.name, model.table])),
  };
  let pin = (): void => undefined;
  let unpin: (error: Error) => void = () => undefined;
  const pinned = new Promise<void>((resolve, reject) => {
    pin = resolve;
    unpin = reject;
  });
  const done = new Promise<string>((resolve, reject) => {
    const text = `(${takeSnapshot.toString()})(require, ${describeVersion.toString()}, ${nameVersion.toString()})`;
    const thread = new Worker(text, { eval: true, workerData: task });
    const fail = (error: Error): void => {
      reject(error);
      unpin(error);
    };
    thread.on('message', (message: SnapshotMessage) => {
      if (message.kind === 'pinned') pin();
      else if (message.kind === 'done') resolve(message.id);
      else fail(notMade(request, message));
    });
    thread.on('error', fail);
    thread.on('exit', () => {
      fail(notMade(request, { message: 'its thread ended', code: '' }));
    });
  });
  // Who waits for one of them only must not be told of the other as an accident.
  pinned.catch(() => undefined);
  done.catch(() => undefined);
  return { pinned, done };
}

function notMade(
  { source, folder, name }: SnapshotRequest,
  { message, code }: { readonly message: string; readonly code: string },
): StoreUnusable {
  // What is wrong in a copy was wrong before.
  const file = /^SQLITE_(?:CORRUPT|NOTADB)/.test(code) ? source : join(folder, `${name}.sqlite3`);
  return new StoreUnusable(file, `no version could be made: ${reasonOf(code) ?? `${message}.`}`);
}
