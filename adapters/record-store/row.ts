import type { StoredValue } from '../../src/record-store/column.js';

/** A row as SQLite has it: the id, then the columns of its model in their order. */
export type Row = readonly StoredValue[];

/** The id of a row. */
export function idOf(row: Row): number {
  // Every table has `id INTEGER PRIMARY KEY`.
  return row[0] as number;
}

/** True when two rows hold the same. */
export function isSameRow(one: Row, other: Row): boolean {
  return one.every((value, at) => isSameValue(value, other[at] ?? null));
}

/** True for the same value; large numbers are read as text, and written as what they are. */
export function isSameValue(one: StoredValue, other: StoredValue): boolean {
  return plain(one) === plain(other);
}

function plain(value: StoredValue): StoredValue {
  return typeof value === 'bigint' ? String(value) : value;
}
