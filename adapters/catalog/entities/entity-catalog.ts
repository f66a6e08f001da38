import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { EntityCatalog } from '../../../src/attribute-pipeline/entity-catalog.js';
import { inParts } from '../attribute-pipelines/pending-changes.js';
import type { CatalogDatabase } from '../database.js';
import { attributes, attributesOf } from './attributes.js';
import { awaitingValues } from './awaiting-values.js';
import { entityTypes, findType } from './entity-types.js';
import {
  entityIds,
  findEntity,
  idsByKey,
  keysById,
  selectEntities,
  typesOf,
  withValues,
} from './entity-rows.js';
import { exportedValues } from './exported-values.js';
import { filtered } from './filtered-entities.js';
import { missingIds } from './related-entities.js';
import { savedEntities } from './saved-entities.js';
import { valueChanges } from './value-changes.js';
import { valueHistory } from './value-history.js';

/** Entities, their attributes and values in a SQL database. */
export function entityCatalog(database: CatalogDatabase): EntityCatalog {
  return {
    ...entityTypes(database),
    ...attributes(database),
    ...savedEntities(database),
    ...valueChanges(database),
    ...valueHistory(database),
    ...awaitingValues(database),
    ...exportedValues(database),
    ...foundEntities(database),
    ...removedEntities(database),
  };
}

/** The part of the port that finds entities. */
function foundEntities(
  database: CatalogDatabase,
): Pick<
  EntityCatalog,
  | 'entity'
  | 'entityIds'
  | 'idsByKey'
  | 'keysById'
  | 'missingIds'
  | 'typesOf'
  | 'entities'
  | 'countEntities'
> {
  return {
    entityIds: (names) => database.read((db) => entityIds(db, names)),
    idsByKey: (entityType, keys) => database.read((db) => idsByKey(db, entityType, keys)),
    missingIds: (entityType, ids) => database.read((db) => missingIds(db, entityType, ids)),
    typesOf: (ids) => database.read((db) => typesOf(db, ids)),
    keysById: (ids) => database.read((db) => keysById(db, ids)),
    entity: (id) =>
      database.read(async (db) => {
        const [entity] = await withValues(db, [await findEntity(db, id)]);
        if (entity === undefined) throw new NotFound('entity', id);
        return entity;
      }),
    entities: (entityType, { after, limit, filter = [] }) =>
      database.read(async (db) => {
        await findType(db, entityType);
        let query = selectEntities(db)
          .where('entity_types.name', '=', entityType)
          .orderBy('entities.id')
          .limit(limit + 1);
        if (after !== undefined) query = query.where('entities.id', '>', after);
        const known = filter.length === 0 ? [] : await attributesOf(db, entityType);
        const rows = await query.where(filtered(database, filter, known)).execute();
        const items = await withValues(db, rows.slice(0, limit));
        const last = items.at(-1);
        return { items, ...(rows.length > limit && last !== undefined && { next: last.id }) };
      }),
    countEntities: (entityType, filter = []) =>
      database.read(async (db) => {
        const { id } = await findType(db, entityType);
        const known = filter.length === 0 ? [] : await attributesOf(db, entityType);
        const { count } = await db
          .selectFrom('entities')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where('entity_type_id', '=', id)
          .where(filtered(database, filter, known))
          .executeTakeFirstOrThrow();
        return count;
      }),
  };
}

/** The part of the port that removes entities, and with them their values. */
function removedEntities(
  database: CatalogDatabase,
): Pick<EntityCatalog, 'removeEntity' | 'removeEntities'> {
  return {
    removeEntity: (id) =>
      database.write(async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('entities')
          .where('id', '=', id)
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw new NotFound('entity', id);
      }),
    removeEntities: (entityType, keys) =>
      database.write(async (transaction) => {
        const { id } = await findType(transaction, entityType);
        let removed = 0;
        for (const part of inParts(keys)) {
          const { numDeletedRows } = await transaction
            .deleteFrom('entities')
            .where('entity_type_id', '=', id)
            .where('key', 'in', part)
            .executeTakeFirst();
          removed += Number(numDeletedRows);
        }
        return removed;
      }),
  };
}
