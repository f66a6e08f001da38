import type { Json } from '../../../src/definition/json.js';
import type { SourceBatch } from '../../../src/data-flow/source.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { keysetPages, refuseNulls, rowOf, type NullSearch, type ReadPage } from './keyset-pages.js';
import { keysetText, type KeysetRequest, type KeysetText } from './keyset.js';
import { sqlError } from './sql-error.js';
import { sqlNames } from './sql-text.js';
import { openSqliteForReading, type SqliteDatabase, type SqliteStatement } from './sqlite.js';

/** Gives the rows of a SQLite database in pages. */
export async function* sqlitePages(
  path: string,
  request: KeysetRequest,
): AsyncGenerator<SourceBatch> {
  const text = keysetText(request, await sqlNames());
  const db = await openSqliteForReading(path);
  try {
    await refuseNulls(request, text, nullSearch(db, request));
    yield* keysetPages(request, pageReader(db, text));
  } catch (error) {
    throw sqlError(error, `Cannot read from ${path}`);
  } finally {
    db.close();
  }
}

function pageReader(db: SqliteDatabase, text: KeysetText): ReadPage {
  const first = pageStatement(db, text, false);
  const next = pageStatement(db, text, true);
  return (after, limit) => {
    const { statement, names } = after === undefined ? first : next;
    const lists = statement.all(...(after ?? []).map(bound), limit) as unknown[][];
    return {
      rows: lists.map((list) => rowOf(list, names, rowValue)),
      keys: lists.map((list) => list.slice(names.length).map(keyValue)),
    };
  };
}

function pageStatement(
  db: SqliteDatabase,
  { from, select, keys, order }: KeysetText,
  goesOn: boolean,
): { readonly statement: SqliteStatement; readonly names: readonly string[] } {
  const where = goesOn ? ` WHERE (${order}) > (${keys.map(() => '?').join(', ')})` : '';
  const statement: SqliteStatement = db
    .prepare(`SELECT ${select}, ${order} FROM ${from}${where} ORDER BY ${order} LIMIT ?`)
    .raw(true)
    .safeIntegers(true);
  const columns = statement.columns().map(({ name }) => name);
  return { statement, names: columns.slice(0, columns.length - keys.length) };
}

function rowValue(value: unknown): unknown {
  return typeof value === 'bigint' ? exactInteger(value) : value;
}

/** A number where it is exact, otherwise the text of its digits, as PostgreSQL's driver gives them. */
function exactInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** A cursor's value as JSON. What JSON cannot carry becomes an object. */
function keyValue(value: unknown): Json {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : { integer: value.toString() };
  }
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Buffer.isBuffer(value)) return { blob: value.toString('base64') };
  throw permanent(
    `A value of the cursor's columns is ${String(value)}, behind which nothing can be read.`,
    undefined,
    'UnusableCursor',
  );
}

function bound(value: Json): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('integer' in value && typeof value.integer === 'string') return BigInt(value.integer);
  return 'blob' in value && typeof value.blob === 'string'
    ? Buffer.from(value.blob, 'base64')
    : null;
}

function nullSearch(db: SqliteDatabase, { origin }: KeysetRequest): NullSearch {
  const required = requiredColumns(db, origin.table);
  return {
    isRequired: (column) => required.has(column.toLowerCase()),
    finds: (statement) => db.prepare(statement).get() !== undefined,
  };
}

function requiredColumns(db: SqliteDatabase, table: string | undefined): ReadonlySet<string> {
  if (table === undefined) return new Set();
  const [name, schema] = table.split('.').reverse();
  const columns = db
    .prepare('SELECT name, type, "notnull" AS required, pk FROM pragma_table_info(?, ?)')
    .all(name, schema ?? 'main') as readonly TableColumn[];
  const primary = columns.filter(({ pk }) => pk > 0);
  // SQLite allows NULL in primary keys, except in one that is the row's number.
  const isRowId = (column: TableColumn): boolean =>
    primary.length === 1 && column.pk > 0 && column.type.toUpperCase() === 'INTEGER';
  return new Set(
    columns
      .filter((column) => column.required === 1 || isRowId(column))
      .map((column) => column.name.toLowerCase()),
  );
}

interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly required: number;
  readonly pk: number;
}
