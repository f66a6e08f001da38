import { z } from 'zod';
import { database } from './database-address.js';

/** Options of the `sql` sink. */
export const SqlSinkOptions = z
  .strictObject({
    database,
    table: z.string().min(1).describe('What is written to, or `schema.table`.'),
    key: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Columns by which a row is known again: they need a primary key or a unique index. Without any, rows are only added.',
      ),
    columns: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'What is written of each row; what a row lacks is NULL. Otherwise the properties that it has: others are left as they are, and have their defaults in new rows.',
      ),
    insert: z
      .boolean()
      .default(true)
      .describe(
        'false: only rows that the table has are changed, as those of a table that belongs to somebody else. Others are left out, and count as redundant.',
      ),
    create: z
      .boolean()
      .default(false)
      .describe(
        'Creates the table when it is missing, and later the columns that it lacks, with types from the values of the batch: whole numbers of `key` and bigints are integers, other numbers floats.',
      ),
    keepPosition: z
      .boolean()
      .default(true)
      .describe(
        "Keeps the flow's position in table millrace_positions, in the transaction of the rows, so that each row is written exactly once.",
      ),
  })
  .refine(({ insert, key }) => insert || key.length > 0, {
    message: 'Rows are known again by `key`: without any, none can be changed.',
    path: ['insert'],
  })
  .refine(({ insert, create }) => insert || !create, {
    message: 'A table that is made has no rows that could be changed.',
    path: ['create'],
  })
  .refine(
    ({ key, columns }) => columns === undefined || key.every((name) => columns.includes(name)),
    {
      message: 'The columns of `key` have to be among `columns`.',
      path: ['columns'],
    },
  );

/** See {@link SqlSinkOptions}. */
export type SqlSinkOptions = z.output<typeof SqlSinkOptions>;
