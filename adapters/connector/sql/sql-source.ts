import { z } from 'zod';
import { durationMs, InvalidDuration } from '../../../src/definition/duration.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { defineSource } from '../../../src/data-flow/source.js';
import { database, databaseAddress } from './database-address.js';
import { keysetAfter } from './keyset-cursor.js';
import type { KeysetRequest } from './keyset.js';
import { postgresPages } from './postgres-pages.js';
import { sqlitePages } from './sqlite-pages.js';

const lag = z
  .union([z.string(), z.number()])
  .refine(isDuration, 'Expected milliseconds or a text such as `30s` or `5 minutes`.')
  .optional()
  .describe(
    'PostgreSQL: rows whose first cursor column, a timestamptz, is younger are left for the next run. Transactions that take longer than this may lose rows: what commits behind the cursor is never read, whether it is ordered by a time or by a number from a sequence.',
  );

const SqlSourceOptions = z
  .strictObject({
    database,
    table: z.string().min(1).optional().describe('What is read, or `schema.table`.'),
    query: z.string().min(1).optional().describe('A SELECT that is read instead of a table.'),
    columns: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Which columns a row has; all unless given.'),
    cursor: z
      .array(z.string().min(1))
      .min(1)
      .max(4)
      .describe(
        'Columns that order the rows: never NULL, together unique, and growing, so that new rows come last. An index on them, in this order, makes each batch cheap.',
      ),
    lag,
  })
  .refine(({ table, query }) => (table === undefined) !== (query === undefined), {
    message: 'Give either `table` or `query`.',
  });

/**
 * Reads a table or a query page by page along the columns of its cursor, and later what has come behind them. What is changed
 * without moving its cursor is not read again, and neither is what a query that has changed leaves out no more.
 *
 * PostgreSQL gives numbers and times to rows before it shows them: a transaction that takes id 1 may commit when id 2 has been
 * read, and is never read then. Where several transactions write at the same time, let the cursor begin with a timestamptz that
 * is set when a row is written (`DEFAULT now()`), and set `lag` to more than the longest of them takes: `cursor: [created_at, id]`,
 * `lag: '5 minutes'`. No condition on `xmin` does the same: a transaction that began earlier, with a smaller `xmin`, may take a
 * later id.
 *
 * Integers of SQLite and `bigint` and `numeric` of PostgreSQL that a number cannot hold exactly come as text; so do dates and
 * timestamps of PostgreSQL, as it prints them in ISO 8601: `2026-01-02 03:04:05.123456+00`.
 *
 * Ends with permanent errors: `UnusableCursor` for NULL and repeated values in the cursor's columns and for a `lag` that they cannot
 * have, `InvalidCursor` when the flow has read another table or database before, `SqlError` for what the database refuses,
 * `FileNotFound`.
 */
export const sqlSource = defineSource({
  name: 'sql',
  description: 'Reads a table or a query of SQLite or PostgreSQL along a cursor.',
  options: SqlSourceOptions,
  read: ({ options, dir, run, cursor, batchSize, signal }) => {
    const { table, query, columns, cursor: cursorColumns } = options;
    const origin = { database: options.database, table, query, cursorColumns };
    const request: KeysetRequest = {
      ...{ origin, columns, batchSize, signal },
      after: keysetAfter(cursor, origin, run.name),
      lagMs: options.lag === undefined ? undefined : durationMs(options.lag),
    };
    const address = databaseAddress(options.database, dir);
    if (address.kind === 'sqlite' && request.lagMs !== undefined) throw lagOfSqlite();
    return address.kind === 'sqlite'
      ? sqlitePages(address.path, request)
      : postgresPages(address.url, request);
  },
});

function isDuration(value: string | number): boolean {
  try {
    return durationMs(value) > 0;
  } catch (error) {
    if (error instanceof InvalidDuration) return false;
    throw error;
  }
}

/** It has one writer at a time, and no type for times. */
function lagOfSqlite(): Error {
  return permanent('`lag` is for PostgreSQL. Leave it out.', undefined, 'UnusableCursor');
}
