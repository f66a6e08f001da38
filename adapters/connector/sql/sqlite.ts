import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { permanent } from '../../../src/pipeline/permanent.js';
import { sqlCode } from './sql-error.js';

/** Longest wait for another writer. */
const BUSY_TIMEOUT_MS = 5_000;

/** How much of it blocks the process at once, and how long it does something else between. */
const BLOCKING_TIMEOUT_MS = 10;
const RETRY_AFTER_MS = 20;

/** A SQLite database that is open. */
export type SqliteDatabase = Database.Database;

/** A statement of it that takes and gives anything. */
export type SqliteStatement = Database.Statement;

/** Opens a database that exists, to read from it. */
export async function openSqliteForReading(path: string): Promise<SqliteDatabase> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw permanent(
      `${path} does not exist. The database has to be on the machine of the worker that runs this flow.`,
      { path },
      'FileNotFound',
    );
  }
  const { default: Sqlite } = await import('better-sqlite3');
  return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
}

/**
 * Opens a database to write to it, and makes it with its folder where they are missing.
 *
 * @param survivesPowerLoss - false where the position that is lost with the rows is kept beside them
 */
export async function openSqliteForWriting(
  path: string,
  survivesPowerLoss: boolean,
): Promise<SqliteDatabase> {
  await mkdir(dirname(path), { recursive: true });
  const { default: Sqlite } = await import('better-sqlite3');
  const db = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${survivesPowerLoss ? 'FULL' : 'NORMAL'}`);
  // From here on `transaction` waits, without blocking the whole process as SQLite does.
  db.pragma(`busy_timeout = ${String(BLOCKING_TIMEOUT_MS)}`);
  return db;
}

/**
 * Runs a body, which has to be synchronous, in a transaction that lets no other writer in. Waits up to 5 s for one that is there.
 *
 * @throws whatever the body throws, and SQLite's errors
 */
export async function transaction<T>(db: SqliteDatabase, body: () => T): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += RETRY_AFTER_MS + BLOCKING_TIMEOUT_MS) {
    try {
      return db.transaction(body).immediate();
    } catch (error) {
      if (sqlCode(error) !== 'SQLITE_BUSY' || waitedMs >= BUSY_TIMEOUT_MS) throw error;
    }
    await delay(RETRY_AFTER_MS);
  }
}
