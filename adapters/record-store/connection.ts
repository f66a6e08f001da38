import { statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import type { StoredValue } from '../../src/record-store/column.js';
import { errorCode, errorMessage } from '../error-parts.js';
import { StoreUnusable } from '../../src/record-store/errors.js';

/** A SQLite file that is open. */
export type Connection = Database.Database;

/** A prepared statement of it. */
export type Statement = Database.Statement;

/** One that gives rows as arrays. */
export type RowStatement = Database.Statement<StoredValue[], StoredValue[]>;

/** Longest wait for another process that writes, in milliseconds. It blocks this one: writers of a store are short. */
const BUSY_TIMEOUT_MS = 5_000;

/** With less than this a disk has no room for the files that SQLite keeps beside a database. */
const NO_ROOM_BYTES = 65_536;

/** The driver is native code, which who only defines stores has no use for. */
function driver(): typeof Database {
  return createRequire(import.meta.url)('better-sqlite3') as typeof Database;
}

/**
 * Opens a database to write to it; makes it where there is none.
 *
 * @param look - looks at what is there before anything is written
 */
export function openToWrite(file: string, look: (db: Connection) => void): Connection {
  return guarded(file, () => {
    const db = new (driver())(file, { timeout: BUSY_TIMEOUT_MS });
    try {
      look(db);
      useWriteAheadLog(db);
      // Groups of bodies share a commit, so that one which survives a power failure costs them little.
      db.pragma('synchronous = FULL');
      db.pragma('foreign_keys = ON');
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  });
}

/** Opens a copy that nobody else knows of. */
export function openCopy(file: string): Connection {
  return guarded(file, () => new (driver())(file, { fileMustExist: true }));
}

/** SQLite does not wait by itself for others that have a new database change to it at the same time. */
function useWriteAheadLog(db: Connection): void {
  for (const until = Date.now() + BUSY_TIMEOUT_MS; ;) {
    try {
      db.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      if (!codeOf(error).startsWith('SQLITE_BUSY') || Date.now() > until) throw error;
      pause(20);
    }
  }
}

/** Holds up this thread, as SQLite's own waiting does. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Opens a database that stays as it is. */
export function openToRead(file: string): Connection {
  return guarded(file, () => {
    const db = new (driver())(file, {
      readonly: true,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    try {
      // Nothing is read when a file is opened: a damaged one is found here.
      db.pragma('schema_version');
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  });
}

/**
 * Does something with a file, and tells what SQLite has against it in words that help.
 *
 * @throws {@link StoreUnusable} for a file that is damaged, foreign, locked or not to be written to, or a full disk
 */
export function guarded<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw unusable(file, error) ?? error;
  }
}

/** As {@link guarded}, of what takes its time. */
export async function guardedAsync<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw unusable(file, error) ?? error;
  }
}

/** The code of an error of SQLite's or of the system's; empty for others. */
export function codeOf(error: unknown): string {
  return errorCode(error) ?? '';
}

/** True for an error that is about a database as a whole, and not about what somebody wanted to write into it. */
export function isAboutFile(error: unknown): boolean {
  return /^SQLITE_(?!CONSTRAINT|MISMATCH|TOOBIG|RANGE|ERROR)/.test(codeOf(error));
}

function unusable(file: string, error: unknown): StoreUnusable | undefined {
  const code = codeOf(error);
  const reason =
    (errorMessage(error) === 'The database connection is not open' ? CLOSED : undefined) ??
    // Where there is no room for the files beside it, SQLite calls it otherwise.
    (/^SQLITE_(?:IOERR|CANTOPEN)/.test(code) && isDiskFull(file) ? FULL : reasonOf(code));
  return reason === undefined ? undefined : new StoreUnusable(file, reason, { cause: error });
}

function isDiskFull(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < NO_ROOM_BYTES;
  } catch {
    return false;
  }
}

/** What a code of SQLite's or of the system's means for a store, and what to do; undefined for one that is not about files. */
export function reasonOf(code: string): string | undefined {
  return REASONS.find(([codes]) => codes.test(code))?.[1];
}

/** What a connection that cannot be got means. */
export const LOCKED = `another process has kept it locked for ${String(BUSY_TIMEOUT_MS / 1_000)} s. Try again when that one is through.`;

const CLOSED =
  'was closed while it was used. Close a store when its transactions and runs have ended.';

const FULL = 'the disk is full. Nothing of what was to be written is there; make room, and go on.';

const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /^SQLITE_(?:CORRUPT|NOTADB)/,
    'is damaged, or no SQLite database. It is left as it is: move it away, and restore a version (millrace records restore).',
  ],
  [/^SQLITE_FULL|^ENOSPC|^EDQUOT/, FULL],
  [
    /^SQLITE_READONLY|^SQLITE_PERM|^SQLITE_AUTH|^EACCES|^EPERM|^EROFS/,
    'cannot be written to: check who owns it and its folder.',
  ],
  [
    /^SQLITE_CANTOPEN|^ENOENT|^ENOTDIR|^EEXIST|^EISDIR/,
    'cannot be opened: check that it is what it should be, and that its folder is there and may be entered.',
  ],
  [/^SQLITE_BUSY|^SQLITE_PROTOCOL/, LOCKED],
  [
    /^SQLITE_IOERR|^EIO/,
    'the disk failed while it was read or written. Nothing of what was to be written is there; check the disk, and that it has room.',
  ],
];
