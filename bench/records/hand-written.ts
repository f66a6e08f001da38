import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { StepColumn } from './users.js';

/** Records that code written by hand reads and writes together: as many as Millrace. */
export const BATCH = 500;

/** The store's file as code written by hand opens it: with the same promises about what survives a power failure. */
export function openUsers(dir: string): Database.Database {
  const database = new Database(join(dir, 'db.sqlite3'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  return database;
}

/** The statements of code written by hand, for one step. */
export function statementsOf(
  database: Database.Database,
  column: StepColumn,
): {
  /** The next ids after one. */
  readonly ids: (after: number) => readonly number[];
  readonly change: (id: number) => void;
} {
  const select = database
    .prepare<[number], number>(
      `select id from users where ${column} = 0 and id > ? order by id limit ${String(BATCH)}`,
    )
    .pluck();
  const update = database.prepare(`update users set ${column} = 1 where id = ?`);
  return {
    ids: (after) => select.all(after),
    change: (id) => {
      update.run(id);
    },
  };
}
