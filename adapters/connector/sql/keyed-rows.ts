import { RowsRefused, type RefusedRow } from '../../../src/data-flow/refusal.js';
import type { Row } from '../../../src/data-flow/row.js';
import { contentHash } from '../content-hash.js';
import { jsonText } from '../json-text.js';

/** Rows that have the same columns. */
export interface RowGroup {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** The rows of a batch, one for each key. */
export interface KeyedRows {
  /** The last row of each key, with what earlier ones of it have beside. */
  readonly rows: readonly Row[];
  /** Earlier rows of the same keys, which need not be written: other content than the last one's, and the same. */
  readonly updated: number;
  readonly redundant: number;
}

/**
 * Keeps one row of each key: as if they were written one after the other.
 *
 * @param merges - what the last one lacks is left as an earlier one has it; otherwise it is NULL
 * @throws {@link RowsRefused} for rows without a key
 */
export function lastOfEachKey(
  rows: readonly Row[],
  key: readonly string[],
  merges: boolean,
): KeyedRows {
  const last = new Map<string, number>();
  const refused: RefusedRow[] = [];
  for (const [at, row] of rows.entries()) {
    const id = keyOf(row, key);
    if (id === undefined) refused.push({ at, reason: withoutKey(row, key) });
    else last.set(id, at);
  }
  if (refused.length > 0) throw new RowsRefused(refused);
  if (last.size === rows.length) return { rows, updated: 0, redundant: 0 };
  const lastOf = (row: Row): number | undefined => last.get(keyOf(row, key) ?? '');
  const kept = rows.filter((row, place) => lastOf(row) === place);
  const redundant = rows.filter((row, place) => {
    const winner = lastOf(row) ?? place;
    return winner !== place && contentHash(row) === contentHash(rows[winner] ?? row);
  }).length;
  const updated = rows.length - kept.length - redundant;
  return { rows: merges ? merged(rows, key) : kept, updated, redundant };
}

/** All that the rows of each key have, the later value of each property, at the place of the first of them. */
function merged(rows: readonly Row[], key: readonly string[]): readonly Row[] {
  const byKey = new Map<string, Record<string, unknown>>();
  for (const row of rows) {
    const id = keyOf(row, key) ?? '';
    const whole = byKey.get(id) ?? {};
    for (const name in row) if (row[name] !== undefined) whole[name] = row[name];
    byKey.set(id, whole);
  }
  return [...byKey.values()];
}

/**
 * A text that is the same for the same key; undefined where a part of it is missing. A number and its digits are one: the column
 * makes the same of both.
 */
function keyOf(row: Row, key: readonly string[]): string | undefined {
  const [first = ''] = key;
  if (key.length === 1) return keyText(row[first]);
  const parts = key.map((name) => keyText(row[name]));
  return parts.includes(undefined) ? undefined : JSON.stringify(parts);
}

function keyText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  if (!(value instanceof Date)) return jsonText(value);
  return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
}

function withoutKey(row: Row, key: readonly string[]): string {
  const name = key.find((column) => keyText(row[column]) === undefined) ?? '';
  return `The row has no value in the key column "${name}".`;
}

/**
 * Groups rows by the columns that they have: a property that is undefined is none. Most batches are one group, and are taken as
 * they are.
 *
 * @throws {@link RowsRefused} for rows that have none
 */
export function groupsOf(rows: readonly Row[]): readonly RowGroup[] {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = columnsOf(first);
  if (columns.length > 0 && rows.every((row) => hasColumns(row, columns)))
    return [{ columns, rows }];
  const groups = new Map<string, { readonly columns: readonly string[]; readonly rows: Row[] }>();
  for (const row of rows) {
    const own = columnsOf(row);
    const id = JSON.stringify(own.toSorted());
    const group = groups.get(id) ?? { columns: own, rows: [] };
    group.rows.push(row);
    groups.set(id, group);
  }
  if (groups.has('[]')) throw new RowsRefused(withoutColumns(rows));
  return [...groups.values()];
}

function withoutColumns(rows: readonly Row[]): readonly RefusedRow[] {
  return rows.flatMap((row, at) =>
    columnsOf(row).length === 0 ? [{ at, reason: 'The row has no values.' }] : [],
  );
}

function columnsOf(row: Row): readonly string[] {
  const columns: string[] = [];
  for (const name in row) if (row[name] !== undefined) columns.push(name);
  return columns;
}

/** Whether a row has exactly these columns, in this order. */
function hasColumns(row: Row, columns: readonly string[]): boolean {
  let place = 0;
  for (const name in row) {
    if (row[name] === undefined) continue;
    if (columns[place] !== name) return false;
    place += 1;
  }
  return place === columns.length;
}
