import type { MessagePort } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import type { StoredValue } from '../../../src/record-store/column.js';

/** The parts of Node that a thread uses: it requires them itself. */
interface Threads {
  readonly parentPort: MessagePort | null;
  readonly workerData: ReadTask;
}

/** A statement whose rows are cut to a size. */
export interface ReadStatement {
  readonly sql: string;
  readonly parameters: readonly StoredValue[];
  /** Most characters of a value; longer ones are cut. */
  readonly valueCharacters: number;
  /** Rows are given until their values have so many characters together. */
  readonly characters: number;
}

/** What a thread is to read. */
export interface ReadTask {
  /** The module of SQLite's driver. */
  readonly driver: string;
  readonly file: string;
  /** Another database beside it, which statements call `older`. */
  readonly older: string | null;
  readonly statements: readonly ReadStatement[];
}

/** A value that was cut. */
export interface CutCell {
  /** Of its row among the others. */
  readonly row: number;
  /** Of its column. */
  readonly at: number;
  /** Of the whole value. */
  readonly characters: number;
}

/** The rows of a statement. */
export interface ReadRows {
  readonly rows: readonly (readonly StoredValue[])[];
  readonly cut: readonly CutCell[];
  /** There are others, left out because of their size. */
  readonly hasMore: boolean;
}

/** What has come of it. */
export type ReadMessage =
  | { readonly kind: 'read'; readonly results: readonly ReadRows[] }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string };

/**
 * Reads a database, all statements as it is at one moment. Runs in a thread of its own, so that a large table stops no run, from
 * the text of this function: it may use nothing but what it is given and what it requires.
 */
export function readDatabase(require: NodeJS.Require): void {
  const { parentPort, workerData } = require('node:worker_threads') as Threads;
  const { driver, file, older, statements } = workerData;
  const Sqlite = require(driver) as typeof Database;
  const tell = (message: ReadMessage): void => parentPort?.postMessage(message);

  const read = (db: Database.Database, statement: ReadStatement): ReadRows => {
    const { sql, parameters, valueCharacters, characters } = statement;
    const rows: StoredValue[][] = [];
    const cut: CutCell[] = [];
    let left = characters;
    // Other tools may have put bytes there, which no column of ours keeps.
    const short = (value: StoredValue | Uint8Array, at: number): StoredValue => {
      const text = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
      if (typeof text !== 'string') return text;
      const kept = text.length <= valueCharacters ? text : text.slice(0, valueCharacters);
      if (kept !== text) cut.push({ row: rows.length, at, characters: text.length });
      left -= kept.length;
      return kept;
    };
    const found = db
      .prepare(sql)
      .raw()
      .iterate(...parameters) as Iterable<StoredValue[]>;
    for (const row of found) {
      if (left <= 0) return { rows, cut, hasMore: true };
      rows.push(row.map(short));
    }
    return { rows, cut, hasMore: false };
  };

  try {
    const db = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    try {
      if (older !== null) db.prepare('attach ? as older').run(older);
      db.exec('begin');
      tell({ kind: 'read', results: statements.map((statement) => read(db, statement)) });
    } finally {
      db.close();
    }
  } catch (error) {
    const { message, code } = error as { readonly message: string; readonly code?: string };
    tell({ kind: 'failed', message, code: code ?? '' });
  }
}
