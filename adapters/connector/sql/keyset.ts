import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../../../src/definition/json.js';
import { permanent, type PermanentError } from '../../../src/pipeline/permanent.js';
import type { SqlNames } from './sql-text.js';

/** What is read, page by page along some columns. */
export interface KeysetRequest {
  /** Exactly one of both. */
  readonly table: string | undefined;
  readonly query: string | undefined;
  /** Undefined: all. */
  readonly columns: readonly string[] | undefined;
  /** The columns that order the rows: together unique and growing. */
  readonly cursorColumns: readonly string[];
  /** Rows whose first cursor column is not older than this are left alone. PostgreSQL only. */
  readonly lagMs: number | undefined;
  readonly cursor: Json | undefined;
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Where the next page begins: behind these values of the cursor's columns. */
const KeysetCursor = z.object({
  columns: z.array(z.string()),
  after: z.array(z.json()),
  /** Hash of what is read: behind the place of one table there is nothing known of another. */
  of: z.string(),
});

/** The parts of a keyset's statements. */
export interface KeysetText {
  /** What is selected from, called `q`. */
  readonly from: string;
  /** What of a row is given. */
  readonly select: string;
  /** The cursor's columns. */
  readonly keys: readonly string[];
  readonly order: string;
}

/** Builds the parts of a keyset's statements. */
export function keysetText(request: KeysetRequest, names: SqlNames): KeysetText {
  const column = (name: string): string => `q.${names.column(name)}`;
  const keys = request.cursorColumns.map(column);
  const query = `(${trimmed(request.query)}\n)`;
  return {
    from: `${request.table === undefined ? query : names.table(request.table)} AS q`,
    select: request.columns?.map(column).join(', ') ?? 'q.*',
    keys,
    order: keys.join(', '),
  };
}

/**
 * The values behind which to go on; undefined at the beginning.
 *
 * @throws a permanent error of type `InvalidCursor`
 */
export function keysetAfter(request: KeysetRequest): readonly Json[] | undefined {
  const { cursor, cursorColumns } = request;
  if (cursor === undefined || cursor === null) return undefined;
  const parsed = KeysetCursor.safeParse(cursor);
  const fits =
    parsed.success &&
    parsed.data.after.length === cursorColumns.length &&
    parsed.data.of === hashOf(request);
  if (fits) return parsed.data.after;
  throw permanent(
    `The cursor is not one of ${told(request).what} along ${cursorColumns.join(', ')}: the flow has read something else before. Reset the flow to read this from its beginning.`,
    cursor,
    'InvalidCursor',
  );
}

/** The cursor behind a row. */
export function keysetCursor(request: KeysetRequest, after: readonly Json[]): Json {
  return { columns: [...request.cursorColumns], after: [...after], of: hashOf(request) };
}

function hashOf({ table, query, cursorColumns }: KeysetRequest): string {
  const what = table === undefined ? ['query', trimmed(query)] : ['table', table];
  const text = JSON.stringify([...what, ...cursorColumns]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** A query may end with a comment or with a semicolon. */
function trimmed(query = ''): string {
  return query.replace(/[;\s]+$/, '');
}

/** Rows whose cursor column is NULL come neither before nor behind a cursor: they would be left out without a word. */
export function nullCursor(request: KeysetRequest, column: string): PermanentError {
  const { place, table } = told(request);
  return permanent(
    `${place} has rows whose column "${column}" is NULL, which has no place in the order of the cursor. Leave them out with a query, or choose another cursor.`,
    { table, column },
    'UnusableCursor',
  );
}

/**
 * Looks for two rows of one page that a cursor cannot tell apart: the second would be left out where a page ends between them.
 *
 * @param keys - the cursor's values of each row, in order
 * @throws a permanent error of type `UnusableCursor`
 */
export function refuseRepeatedKeys(
  request: KeysetRequest,
  keys: readonly (readonly Json[])[],
): void {
  for (let index = 1; index < keys.length; index += 1) {
    const [before, here] = [keys[index - 1], keys[index]];
    if (here?.every((value, at) => sameKey(value, before?.[at])) !== true) continue;
    const { place, table } = told(request);
    throw permanent(
      `${place} has several rows with ${request.cursorColumns.join(', ')} = ${JSON.stringify(here)}. The columns of a cursor have to be unique together: add another one.`,
      { table, columns: [...request.cursorColumns] },
      'UnusableCursor',
    );
  }
}

/** Objects stand for values that JSON has no other way to carry. */
function sameKey(a: Json, b: Json | undefined): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

function told({ table }: KeysetRequest): {
  readonly place: string;
  readonly what: string;
  readonly table: string;
} {
  return table === undefined
    ? { place: 'The query', what: 'this query', table: '(query)' }
    : { place: `Table ${table}`, what: `table ${table}`, table };
}
