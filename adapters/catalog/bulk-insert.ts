import { CompiledQuery, type Transaction } from 'kysely';
import type { CatalogDatabase, Dialect } from './database.js';
import type { Tables } from './tables.js';

/** Where many rows go. */
export interface BulkInsert<Column extends string = string> {
  readonly table: keyof Tables;
  readonly columns: readonly Column[];
  /** Columns behind them that have the same in all rows of one call: parameters once, and not once a row. */
  readonly same?: readonly Column[];
  /** Rows that are there already get what these columns are to be; without it, they are an error. */
  readonly onConflict?: { readonly key: readonly Column[]; readonly update: readonly Column[] };
}

/** A row, by its columns; what is left out is NULL. */
export type BulkRow<Column extends string> = Readonly<Partial<Record<Column, unknown>>>;

/**
 * Rows of one statement. SQLite gains nothing by more of them, and keeps statements of this length prepared; of PostgreSQL each is a
 * round trip, and none may have more than 65,535 parameters.
 */
const ROWS_AT_ONCE: Readonly<Record<Dialect['kind'], number>> = { sqlite: 25, postgres: 500 };

/**
 * Inserts rows by statements that are written once: for the thousands of rows of a run, building each statement by itself takes longer
 * than the database does. Identifiers are those of our own tables.
 */
export async function insertRows<Column extends string>(
  { kind }: Pick<CatalogDatabase, 'kind'>,
  transaction: Transaction<Tables>,
  into: BulkInsert<Column>,
  rows: readonly BulkRow<Column>[],
  same?: BulkRow<Column>,
): Promise<void> {
  const shared = (into.same ?? []).map((column) => same?.[column] ?? null);
  const most = ROWS_AT_ONCE[kind];
  for (let from = 0; from < rows.length;) {
    const left = rows.length - from;
    // A rest of any length would be a statement that nobody else has.
    const count = kind === 'sqlite' && left < most ? 1 : Math.min(left, most);
    const parameters: unknown[] = [...shared];
    for (let at = from; at < from + count; at += 1)
      for (const column of into.columns) parameters.push(rows[at]?.[column] ?? null);
    await transaction.executeQuery(CompiledQuery.raw(statement(kind, into, count), parameters));
    from += count;
  }
}

/** Texts by what they are of: a handful of tables, and few numbers of rows. */
const statements = new WeakMap<BulkInsert, Map<string, string>>();

function statement(kind: Dialect['kind'], into: BulkInsert, count: number): string {
  const ofTable = statements.get(into) ?? new Map<string, string>();
  statements.set(into, ofTable);
  const name = `${kind} ${String(count)}`;
  const text = ofTable.get(name) ?? textOf(kind, into, count);
  ofTable.set(name, text);
  return text;
}

function textOf(
  kind: Dialect['kind'],
  { table, columns: own, same = [], onConflict }: BulkInsert,
  count: number,
): string {
  const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
  const values =
    kind === 'postgres' ? numberedRows(own, same, count) : countedRows(own, same, count);
  const conflict =
    onConflict === undefined
      ? ''
      : ` on conflict (${list(onConflict.key)}) do update set ${onConflict.update
          .map((column) => `"${column}" = excluded."${column}"`)
          .join(', ')}`;
  return `insert into "${table}" (${list([...same, ...own])}) ${values}${conflict}`;
}

/** PostgreSQL's parameters have numbers: a row names again what all have. */
function numberedRows(own: readonly string[], same: readonly string[], count: number): string {
  const shared = same.map((_column, at) => `$${String(at + 1)}`);
  const rows = Array.from({ length: count }, (_row, row) => {
    const first = same.length + row * own.length + 1;
    return `(${[...shared, ...own.map((_column, at) => `$${String(first + at)}`)].join(', ')})`;
  });
  return `values ${rows.join(', ')}`;
}

/** SQLite's have none here: a row is selected beside what all have. */
function countedRows(own: readonly string[], same: readonly string[], count: number): string {
  const marks = (columns: readonly string[]): readonly string[] => columns.map(() => '?');
  const row = `(${marks(own).join(', ')})`;
  const names = own.map((_column, at) => `column${String(at + 1)}`);
  const rows = Array.from({ length: count }, () => row).join(', ');
  // Without a condition, ON CONFLICT would be taken for one of a join.
  return `select ${[...marks(same), ...names].join(', ')} from (values ${rows}) where true`;
}
