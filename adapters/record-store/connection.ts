import { createRequire } from 'node:module';
import type Database from 'better-sqlite3';
import type { StoredValue } from '../../src/record-store/column.js';
import { errorCode } from '../error-parts.js';
import { StoreUnusable } from '../../src/record-store/errors.js';

/** A SQLite file that is open. */
export type Connection = Database.Database;

/** A prepared statement of it. */
export type Statement = Database.Statement;

/** One that gives rows as arrays. */
export type RowStatement = Database.Statement<StoredValue[], StoredValue[]>;

/** Longest wait for another process that writes, in milliseconds. It blocks this one: writers of a store are short. */
const BUSY_TIMEOUT_MS = 5_000;

/** The driver is native code, which who only defines stores has no use for. */
function driver(): typeof Database {
  return createRequire(import.meta.url)('better-sqlite3') as typeof Database;
}

/** Opens a database to write to it; makes it where there is none. */
export function openToWrite(file: string): Connection {
  return guarded(file, () => {
    const db = new (driver())(file, { timeout: BUSY_TIMEOUT_MS });
    try {
      db.pragma('journal_mode = WAL');
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

/** The code of an error of SQLite's or of the system's; empty for others. */
export function codeOf(error: unknown): string {
  return errorCode(error) ?? '';
}

function unusable(file: string, error: unknown): StoreUnusable | undefined {
  const reason = reasonOf(codeOf(error));
  return reason === undefined ? undefined : new StoreUnusable(file, reason, { cause: error });
}

/** What a code of SQLite's or of the system's means for a store, and what to do; undefined for one that is not about files. */
export function reasonOf(code: string): string | undefined {
  return REASONS.find(([codes]) => codes.test(code))?.[1];
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /^SQLITE_(?:CORRUPT|NOTADB)/,
    'is damaged, or no SQLite database. It is left as it is: move it away, and restore a version (millrace records restore).',
  ],
  [
    /^SQLITE_FULL|^ENOSPC/,
    'the disk is full. Nothing of what was to be written is there; make room, and go on.',
  ],
  [
    /^SQLITE_READONLY|^EACCES|^EROFS|^SQLITE_PERM/,
    'cannot be written to: check who owns it and its folder.',
  ],
  [/^SQLITE_CANTOPEN/, 'cannot be opened: check that its folder is there and may be entered.'],
  [/^SQLITE_BUSY/, `another process has kept it locked for ${String(BUSY_TIMEOUT_MS / 1_000)} s.`],
  [/^SQLITE_IOERR/, 'the disk failed while it was read or written.'],
];
