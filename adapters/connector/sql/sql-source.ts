import { z } from 'zod';
import { defineSource } from '../../../src/data-flow/source.js';
import { database, databaseAddress } from './database-address.js';
import type { KeysetRequest } from './keyset.js';
import { postgresPages } from './postgres-pages.js';
import { sqlitePages } from './sqlite-pages.js';

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
  })
  .refine(({ table, query }) => (table === undefined) !== (query === undefined), {
    message: 'Give either `table` or `query`.',
  });

/**
 * Reads a table or a query page by page along the columns of its cursor, and later what has come behind them. What is changed
 * without moving its cursor is not read again.
 *
 * Integers of SQLite and `bigint` and `numeric` of PostgreSQL that a number cannot hold exactly come as text; timestamps of
 * PostgreSQL as Date, its dates as text.
 *
 * Ends with permanent errors: `UnusableCursor` for NULL and repeated values in the cursor's columns, `SqlError` for
 * what the database refuses, `FileNotFound`.
 */
export const sqlSource = defineSource({
  name: 'sql',
  description: 'Reads a table or a query of SQLite or PostgreSQL along a cursor.',
  options: SqlSourceOptions,
  read: ({ options, dir, cursor, batchSize, signal }) => {
    const { table, query, columns } = options;
    const cursorColumns = options.cursor;
    const request: KeysetRequest = {
      ...{ table, query, columns, cursorColumns },
      ...{ cursor, batchSize, signal },
    };
    const address = databaseAddress(options.database, dir);
    return address.kind === 'sqlite'
      ? sqlitePages(address.path, request)
      : postgresPages(address.url, request);
  },
});
