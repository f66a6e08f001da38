import type { Json } from '../../../src/definition/json.js';
import { permanent, type PermanentError } from '../../../src/pipeline/permanent.js';
import type { KeysetOrigin } from './keyset-cursor.js';
import type { SqlNames } from './sql-text.js';

/** What is read, page by page along some columns. */
export interface KeysetRequest {
  /** Its columns are together unique and growing. */
  readonly origin: KeysetOrigin;
  /** Undefined: all. */
  readonly columns: readonly string[] | undefined;
  /** Rows whose first cursor column is not older than this are left alone. PostgreSQL only. */
  readonly lagMs: number | undefined;
  /** The values of the cursor's columns behind which to go on; undefined at the beginning. */
  readonly after: readonly Json[] | undefined;
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

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
export function keysetText({ origin, columns }: KeysetRequest, names: SqlNames): KeysetText {
  const { table, cursorColumns } = origin;
  const column = (name: string): string => `q.${names.column(name)}`;
  const keys = cursorColumns.map(column);
  const query = `(${trimmed(origin.query)}\n)`;
  return {
    from: `${table === undefined ? query : names.table(table)} AS q`,
    select: columns?.map(column).join(', ') ?? 'q.*',
    keys,
    order: keys.join(', '),
  };
}

/** A query may end with a comment or with a semicolon. */
function trimmed(query = ''): string {
  return query.replace(/[;\s]+$/, '');
}

/** Rows whose cursor column is NULL come neither before nor behind a cursor: they would be left out without a word. */
export function nullCursor({ origin }: KeysetRequest, column: string): PermanentError {
  const { place, table } = told(origin);
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
  { origin }: KeysetRequest,
  keys: readonly (readonly Json[])[],
): void {
  for (let index = 1; index < keys.length; index += 1) {
    const [before, here] = [keys[index - 1], keys[index]];
    if (here?.every((value, at) => sameKey(value, before?.[at])) !== true) continue;
    const { place, table } = told(origin);
    throw permanent(
      `${place} has several rows with ${origin.cursorColumns.join(', ')} = ${JSON.stringify(here)}. The columns of a cursor have to be unique together: add another one.`,
      { table, columns: [...origin.cursorColumns] },
      'UnusableCursor',
    );
  }
}

/** Objects stand for values that JSON has no other way to carry. */
function sameKey(a: Json, b: Json | undefined): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

function told({ table }: KeysetOrigin): { readonly place: string; readonly table: string } {
  return table === undefined
    ? { place: 'The query', table: '(query)' }
    : { place: `Table ${table}`, table };
}
