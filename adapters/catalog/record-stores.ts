import type { Insertable, Selectable } from 'kysely';
import type { KnownStore, StoreCatalog } from '../../src/record-pipeline/store-catalog.js';
import type { CatalogDatabase } from './database.js';
import type { RecordStoresTable } from './tables.js';
import { plainText, readTime } from './values.js';

/** What a catalog knows of where record stores are. */
export function storeCatalog(database: CatalogDatabase): StoreCatalog {
  const find = async (pipeline: string): Promise<KnownStore | undefined> => {
    const row = await database.read((db) =>
      db
        .selectFrom('record_stores')
        .selectAll()
        .where('pipeline', '=', plainText(pipeline))
        .executeTakeFirst(),
    );
    return row && knownStore(row);
  };
  return {
    find,
    claim: (pipeline, store) =>
      database.write(async (transaction) => {
        const row = rowOf(pipeline, store);
        await transaction
          .insertInto('record_stores')
          .values(row)
          .onConflict((conflict) => conflict.column('pipeline').doNothing())
          .execute();
        return knownStore(
          await transaction
            .selectFrom('record_stores')
            .selectAll()
            .where('pipeline', '=', row.pipeline)
            .executeTakeFirstOrThrow(),
        );
      }),
    note: (pipeline, store) =>
      database.write(async (transaction) => {
        const row = rowOf(pipeline, store);
        const { pipeline: _, ...rest } = row;
        await transaction
          .insertInto('record_stores')
          .values(row)
          .onConflict((conflict) => conflict.column('pipeline').doUpdateSet(rest))
          .execute();
      }),
    touch: (pipeline, store) =>
      database.write(async (transaction) => {
        const { store_id, host, seen_at } = rowOf(pipeline, store);
        await transaction
          .updateTable('record_stores')
          .set({ seen_at })
          .where('pipeline', '=', plainText(pipeline))
          .where('store_id', '=', store_id)
          .where('host', '=', host)
          .execute();
      }),
    forget: (pipeline) =>
      database.write(async (transaction) => {
        const row = await transaction
          .deleteFrom('record_stores')
          .where('pipeline', '=', plainText(pipeline))
          .returningAll()
          .executeTakeFirst();
        return row && knownStore(row);
      }),
  };
}

function rowOf(
  pipeline: string,
  { id, host, dir, seenAt }: KnownStore,
): Insertable<RecordStoresTable> {
  return {
    pipeline: plainText(pipeline),
    store_id: id,
    host: plainText(host),
    dir: plainText(dir),
    seen_at: seenAt,
  };
}

function knownStore({ store_id, host, dir, seen_at }: Selectable<RecordStoresTable>): KnownStore {
  return { id: store_id, host, dir, seenAt: readTime(seen_at) };
}
