import { CompiledQuery, type Transaction } from 'kysely';
import type { CatalogDatabase, Dialect } from './database.js';
import type { Tables } from './tables.js';

/** Where many rows go. */
export interface BulkInsert<Column extends string = string> {
  readonly table: keyof Tables;
  readonly columns: readonly Column[];
  /** Columns behind them that have the same in all rows of one call. */
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
    const parameters: unknown[] = [];
    for (let at = from; at < from + count; at += 1) {
      for (const column of into.columns) parameters.push(rows[at]?.[column] ?? null);
      parameters.push(...shared);
    }
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
  const columns = [...own, ...same];
  const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
  const width = columns.length;
  const rows = Array.from({ length: count }, (_row, row) => {
    const places = columns.map((_column, at) =>
      kind === 'postgres' ? `$${String(row * width + at + 1)}` : '?',
    );
    return `(${places.join(', ')})`;
  });
  const conflict =
    onConflict === undefined
      ? ''
      : ` on conflict (${list(onConflict.key)}) do update set ${onConflict.update
          .map((column) => `"${column}" = excluded."${column}"`)
          .join(', ')}`;
  return `insert into "${table}" (${list(columns)}) values ${rows.join(', ')}${conflict}`;
}
