import type { Kysely } from 'kysely';
import type { ColumnTypes } from './column-types.js';

/** What runs of all flows are listed by, and what counts the rejected rows of a batch that was given up. */
export async function extendRunHistory(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .alterTable('data_flow_runs')
    .addColumn('rejections_kept', types.count, (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .createIndex('data_flow_runs_created_at')
    .on('data_flow_runs')
    .column('created_at')
    .execute();
}
