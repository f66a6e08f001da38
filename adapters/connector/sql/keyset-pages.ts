import type { Row } from '../../../src/data-flow/row.js';
import type { SourceBatch } from '../../../src/data-flow/source.js';
import type { Json } from '../../../src/definition/json.js';
import { keysetCursors } from './keyset-cursor.js';
import { nullCursor, refuseRepeatedKeys, type KeysetRequest, type KeysetText } from './keyset.js';

/** Rows in the order of the cursor's columns. */
export interface KeysetPage {
  readonly rows: readonly Row[];
  /** The values of the cursor's columns, of each row. */
  readonly keys: readonly (readonly Json[])[];
}

/** How a database is asked for up to `limit` rows behind some values, or from the beginning. */
export type ReadPage = (
  after: readonly Json[] | undefined,
  limit: number,
) => KeysetPage | Promise<KeysetPage>;

/** Gives all rows there are, page by page. */
export async function* keysetPages(
  request: KeysetRequest,
  read: ReadPage,
): AsyncGenerator<SourceBatch> {
  const { batchSize, signal } = request;
  const cursorBehind = keysetCursors(request.origin);
  for (let after = request.after; ;) {
    signal.throwIfAborted();
    // One more than wanted tells whether there is another page.
    const { rows, keys } = await read(after, batchSize + 1);
    refuseRepeatedKeys(request, keys);
    after = keys[Math.min(batchSize, keys.length) - 1];
    if (after === undefined) return;
    yield { rows: rows.slice(0, batchSize), cursor: cursorBehind(after) };
    if (rows.length <= batchSize) return;
  }
}

/** Looks for NULLs in the columns of the cursor, as far as it takes a look. */
export interface NullSearch {
  /** True for a column that cannot be NULL: without an index a search would read the whole table. */
  readonly isRequired: (column: string, at: number) => boolean;
  /** Whether a statement gives a row. */
  readonly finds: (statement: string) => boolean | Promise<boolean>;
}

/** @throws a permanent error of type `UnusableCursor` */
export async function refuseNulls(
  request: KeysetRequest,
  { from, keys }: KeysetText,
  { isRequired, finds }: NullSearch,
): Promise<void> {
  for (const [at, column] of request.origin.cursorColumns.entries()) {
    if (isRequired(column, at)) continue;
    if (await finds(`SELECT 1 FROM ${from} WHERE ${keys[at] ?? ''} IS NULL LIMIT 1`))
      throw nullCursor(request, column);
  }
}

/** A row of a list that begins with its values. */
export function rowOf(
  list: readonly unknown[],
  names: readonly string[],
  valueOf: (value: unknown) => unknown = asItIs,
): Row {
  const row: Record<string, unknown> = {};
  for (let at = 0; at < names.length; at += 1) row[names[at] ?? ''] = valueOf(list[at]);
  return row;
}

function asItIs(value: unknown): unknown {
  return value;
}
