import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Kysely } from 'kysely';
import { CatalogDatabase } from './database.js';
import { errorCode } from '../error-parts.js';
import { sqliteDialect, whenFree } from './sqlite-driver.js';

/** Opens a SQLite file, which is created where it does not exist, as its folder is. */
export async function openSqlite(file: string): Promise<CatalogDatabase> {
  // Loaded here so that who uses PostgreSQL needs no native code.
  const { default: Sqlite } = await import('better-sqlite3');
  await mkdir(dirname(file), { recursive: true });
  const database = new Sqlite(file, {
    // Who waits for other writers does it in whenFree, without blocking the process.
    timeout: 0,
  });
  try {
    await whenFree(() => {
      // The change to WAL needs the file for itself, which it would ask for in a WAL file too.
      if (database.pragma('journal_mode', { simple: true }) !== 'wal')
        database.pragma('journal_mode = WAL');
    });
    // In WAL mode a crash of the process loses nothing, and one of the machine at most the last commits, never the file.
    database.pragma('synchronous = NORMAL');
    // 16 MB: runs write hundreds of batches, and most pages of the file many times. Each checkpoint writes them once.
    database.pragma('wal_autocheckpoint = 4000');
    database.pragma('foreign_keys = ON');
  } catch (error) {
    database.close();
    throw error;
  }
  return new CatalogDatabase(new Kysely({ dialect: sqliteDialect(database) }), {
    kind: 'sqlite',
    isConnectionLost: () => false,
    isDuplicate: (error) => errorCode(error) === 'SQLITE_CONSTRAINT_UNIQUE',
  });
}
