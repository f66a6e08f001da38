import type { Row } from '../../../src/data-flow/row.js';
import { permanent } from '../../../src/pipeline/permanent.js';
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
 * @throws a permanent error of type `InvalidRow` for rows without a key
 */
export function lastOfEachKey(
  rows: readonly Row[],
  key: readonly string[],
  merges: boolean,
): KeyedRows {
  const last = new Map<string, number>();
  for (const [place, row] of rows.entries()) last.set(keyOf(row, key), place);
  if (last.size === rows.length) return { rows, updated: 0, redundant: 0 };
  const kept = rows.filter((row, place) => last.get(keyOf(row, key)) === place);
  const redundant = rows.filter((row, place) => {
    const winner = last.get(keyOf(row, key)) ?? place;
    return winner !== place && contentHash(row) === contentHash(rows[winner] ?? row);
  }).length;
  const updated = rows.length - kept.length - redundant;
  return { rows: merges ? merged(rows, key) : kept, updated, redundant };
}

/** All that the rows of each key have, the later value of each property, at the place of the first of them. */
function merged(rows: readonly Row[], key: readonly string[]): readonly Row[] {
  const byKey = new Map<string, Record<string, unknown>>();
  for (const row of rows) {
    const id = keyOf(row, key);
    const whole = byKey.get(id) ?? {};
    for (const name in row) if (row[name] !== undefined) whole[name] = row[name];
    byKey.set(id, whole);
  }
  return [...byKey.values()];
}

/** A text that is the same for the same key. A number and its digits are one: the column makes the same of both. */
function keyOf(row: Row, key: readonly string[]): string {
  const [first = ''] = key;
  if (key.length === 1) return keyText(row, first);
  return JSON.stringify(key.map((name) => keyText(row, name)));
}

function keyText(row: Row, name: string): string {
  const value = row[name];
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) {
    throw permanent(
      `A row has no value in the key column "${name}": ${jsonText(row).slice(0, 200)}`,
      { column: name },
      'InvalidRow',
    );
  }
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  return value instanceof Date ? value.toISOString() : jsonText(value);
}

/**
 * Groups rows by the columns that they have: a property that is undefined is none. Most batches are one group, and are taken as
 * they are.
 */
export function groupsOf(rows: readonly Row[]): readonly RowGroup[] {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = columnsOf(first);
  if (rows.every((row) => hasColumns(row, columns))) return [{ columns, rows }];
  const groups = new Map<string, { readonly columns: readonly string[]; readonly rows: Row[] }>();
  for (const row of rows) {
    const own = columnsOf(row);
    const id = JSON.stringify(own.toSorted());
    const group = groups.get(id) ?? { columns: own, rows: [] };
    group.rows.push(row);
    groups.set(id, group);
  }
  return [...groups.values()];
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
