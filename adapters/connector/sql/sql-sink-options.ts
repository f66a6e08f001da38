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
  .refine(
    ({ key, columns }) => columns === undefined || key.every((name) => columns.includes(name)),
    {
      message: 'The columns of `key` have to be among `columns`.',
      path: ['columns'],
    },
  );

/** See {@link SqlSinkOptions}. */
export type SqlSinkOptions = z.output<typeof SqlSinkOptions>;
