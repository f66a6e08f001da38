import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnusable } from '../../../src/record-store/errors.js';
import type { VersionReason } from '../../../src/record-store/store.js';
import { guarded, reasonOf } from '../connection.js';
import type { RecordModels } from '../record-model.js';
import { partFile } from './part-files.js';
import { takeInThread } from './snapshot-worker.js';

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
 * Makes a version of a database, in another thread: writers go on meanwhile.
 *
 * @throws {@link StoreUnusable} by both promises, where it could not be made; no half version is left
 */
export function makeSnapshot(request: SnapshotRequest): Snapshot {
  const { folder, source, name, models, reason, run, step, now } = request;
  guarded(folder, () => mkdirSync(folder, { recursive: true }));
  let pin = (): void => undefined;
  let unpin: (error: Error) => void = () => undefined;
  const pinned = new Promise<void>((resolve, reject) => {
    pin = resolve;
    unpin = reject;
  });
  const done = new Promise<string>((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(error);
      unpin(error);
    };
    const task = {
      source,
      part: partFile(folder, name),
      folder,
      name,
      at: now.toISOString(),
      reason,
      run: run ?? null,
      step: step ?? null,
      tables: Object.fromEntries([...models.values()].map((model) => [model.name, model.table])),
    };
    takeInThread(task, {
      onMessage: (message) => {
        if (message.kind === 'pinned') pin();
        else if (message.kind === 'done') resolve(message.id);
        else fail(notMade(request, message));
      },
      onEnd: ({ message }) => {
        fail(notMade(request, { message, code: '' }));
      },
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
