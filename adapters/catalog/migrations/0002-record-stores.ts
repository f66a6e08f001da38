import type { Kysely } from 'kysely';
import type { ColumnTypes } from './column-types.js';

/** Where record stores are: a run has to find the machine that has its store. */
export async function createRecordStores(db: Kysely<unknown>, types: ColumnTypes): Promise<void> {
  await db.schema
    .createTable('record_stores')
    .addColumn('pipeline', 'text', (column) => column.primaryKey().notNull())
    .addColumn('store_id', 'text', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('dir', 'text', (column) => column.notNull())
    .addColumn('seen_at', types.time, (column) => column.notNull())
    .modifyEnd(types.tableEnd)
    .execute();
}
