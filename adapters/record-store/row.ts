import type { StoredValue } from '../../src/record-store/column.js';

/** A row as SQLite has it: the id, then the columns of its model in their order. */
export type Row = readonly StoredValue[];

/** The id of a row. */
export function idOf(row: Row): number {
  // Every table has `id INTEGER PRIMARY KEY`.
  return row[0] as number;
}
