import type { Row, Written } from '../../../src/data-flow/row.js';
import { unpredictable } from '../written.js';
import type { SqlNames } from './sql-text.js';
import type { SqliteDatabase } from './sqlite.js';
import { sqliteValue, type Affinity } from './sqlite-value.js';

/** What is written. */
export interface RowShape {
  /** Quoted. */
  readonly table: string;
  readonly names: SqlNames;
  /** Empty: rows are only added. */
  readonly key: readonly string[];
  readonly columns: readonly string[];
  /** False: rows that the table does not have are left out. */
  readonly inserts: boolean;
  /** Of the columns, in their order. */
  readonly affinities: readonly Affinity[];
}

/**
 * Writes rows one by one, within a transaction of the caller: this driver is quicker with a small statement for each row than
 * with a large one for many.
 */
export type RowWriter = (rows: readonly Row[]) => Written;

/** No row of a table has it as its number: far from what SQLite assigns, and exact as a float. */
const MARK = -(2n ** 52n) - 1_234_567n;

/** Prepares the statements for rows of one shape. */
export function rowWriter(db: SqliteDatabase, shape: RowShape, hasRowIds: boolean): RowWriter {
  if (shape.key.length === 0) return inserting(db, shape);
  if (!shape.inserts) return updating(db, shape);
  return hasRowIds ? upserting(db, shape) : tryingBoth(db, shape);
}

function inserting(db: SqliteDatabase, shape: RowShape): RowWriter {
  const insert = db.prepare(insertText(shape));
  return (rows) => {
    for (const row of rows) insert.run(valuesOf(row, shape));
    return unpredictable(rows.length);
  };
}

/**
 * One statement for each row. It tells redundant rows from others by changing nothing, but not new from updated ones: those are
 * told by the number of the last inserted row, which an update leaves as it is.
 */
function upserting(db: SqliteDatabase, shape: RowShape): RowWriter {
  const others = otherColumns(shape).map(shape.names.column);
  const set = others.map((column) => `${column} = excluded.${column}`).join(', ');
  const differs = others.map((name) => `${shape.table}.${name} IS NOT excluded.${name}`);
  const action =
    others.length === 0 ? 'NOTHING' : `UPDATE SET ${set} WHERE ${differs.join(' OR ')}`;
  const upsert = db
    .prepare(`${insertText(shape)} ON CONFLICT (${keyList(shape)}) DO ${action}`)
    .safeIntegers(true);
  // The number is one of the whole connection, so that it has to be known before the first row.
  db.exec('CREATE TEMP TABLE IF NOT EXISTS millrace_mark (id INTEGER PRIMARY KEY)');
  const mark = db.prepare('INSERT OR REPLACE INTO temp.millrace_mark VALUES (?)');
  return (rows) => {
    mark.run(MARK);
    let last: number | bigint = MARK;
    let added = 0;
    let updated = 0;
    for (const row of rows) {
      const { changes, lastInsertRowid } = upsert.run(valuesOf(row, shape));
      if (changes === 0) continue;
      if (lastInsertRowid === last) updated += 1;
      else added += 1;
      last = lastInsertRowid;
    }
    return { new: added, updated, redundant: rows.length - added - updated, unpredictable: 0 };
  };
}

/** For tables whose rows have no number: up to two statements for each row. */
function tryingBoth(db: SqliteDatabase, shape: RowShape): RowWriter {
  const insert = db.prepare(`${insertText(shape)} ON CONFLICT (${keyList(shape)}) DO NOTHING`);
  const update = updateOf(db, shape);
  return (rows) => {
    let added = 0;
    let updated = 0;
    for (const row of rows) {
      const values = valuesOf(row, shape);
      if (insert.run(values).changes > 0) added += 1;
      else updated += update(values);
    }
    return { new: added, updated, redundant: rows.length - added - updated, unpredictable: 0 };
  };
}

/** For tables in which nothing is to be added. */
function updating(db: SqliteDatabase, shape: RowShape): RowWriter {
  const update = updateOf(db, shape);
  return (rows) => {
    let updated = 0;
    for (const row of rows) updated += update(valuesOf(row, shape));
    return { new: 0, updated, redundant: rows.length - updated, unpredictable: 0 };
  };
}

/** @returns what changes a row of the table that has other values, and tells how many it has changed */
function updateOf(db: SqliteDatabase, shape: RowShape): (values: readonly unknown[]) => number {
  const others = otherColumns(shape);
  if (others.length === 0) return () => 0;
  const part = (names: readonly string[], by: string, operator: string): string =>
    names.map((name) => `${shape.names.column(name)} ${operator} ?`).join(by);
  const update = db.prepare(
    `UPDATE ${shape.table} SET ${part(others, ', ', '=')} WHERE ${part(shape.key, ' AND ', '=')} AND (${part(others, ' OR ', 'IS NOT')})`,
  );
  const places = [...others, ...shape.key, ...others].map((name) => shape.columns.indexOf(name));
  return (values) => update.run(places.map((place) => values[place])).changes;
}

function insertText({ table, columns, names }: RowShape): string {
  const marks = columns.map(() => '?').join(', ');
  return `INSERT INTO ${table} (${columns.map(names.column).join(', ')}) VALUES (${marks})`;
}

function keyList({ key, names }: RowShape): string {
  return key.map(names.column).join(', ');
}

function otherColumns({ columns, key }: RowShape): readonly string[] {
  return columns.filter((name) => !key.includes(name));
}

function valuesOf(row: Row, { columns, affinities }: RowShape): unknown[] {
  const values: unknown[] = [];
  for (let place = 0; place < columns.length; place += 1)
    values.push(sqliteValue(row[columns[place] ?? ''], affinities[place] ?? 'numeric'));
  return values;
}
