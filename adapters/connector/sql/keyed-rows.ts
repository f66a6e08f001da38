import type { Row } from '../../../src/data-flow/row.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { contentHash } from '../content-hash.js';
import { jsonText } from '../json-text.js';

/** The rows of a batch, one for each key. */
export interface KeyedRows {
  /** The last row of each key. */
  readonly rows: readonly Row[];
  /** Earlier rows of the same keys, which need not be written: other content than the last one's, and the same. */
  readonly updated: number;
  readonly redundant: number;
}

/**
 * Keeps the last row of each key.
 *
 * @throws a permanent error of type `InvalidRow` for rows without a key
 */
export function lastOfEachKey(rows: readonly Row[], key: readonly string[]): KeyedRows {
  const last = new Map<string, number>();
  for (const [place, row] of rows.entries()) last.set(keyOf(row, key), place);
  if (last.size === rows.length) return { rows, updated: 0, redundant: 0 };
  const kept = rows.filter((row, place) => last.get(keyOf(row, key)) === place);
  const redundant = rows.filter((row, place) => {
    const winner = last.get(keyOf(row, key)) ?? place;
    return winner !== place && contentHash(row) === contentHash(rows[winner] ?? row);
  }).length;
  return { rows: kept, updated: rows.length - kept.length - redundant, redundant };
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

/** All properties that the rows have, in the order in which they come. */
export function columnsOf(rows: readonly Row[]): readonly string[] {
  const columns = new Set<string>();
  for (const row of rows) for (const name in row) columns.add(name);
  return [...columns];
}
