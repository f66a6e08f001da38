import type { Kysely, Selectable, Transaction } from 'kysely';
import { ulid } from 'ulid';
import {
  attributeNameProblem,
  type EntityType,
} from '../../../src/attribute-pipeline/attribute.js';
import {
  EditConflict,
  InUse,
  InvalidSettings,
  NameTaken,
  NotFound,
} from '../../../src/attribute-pipeline/catalog-errors.js';
import type {
  EntityCatalog,
  Page,
  PageRequest,
} from '../../../src/attribute-pipeline/entity-catalog.js';
import type { EntityTypesTable } from '../attribute-tables.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { optionalText, plainText, readTime } from '../values.js';

/** The part of the port that has the kinds of entities. */
export function entityTypes(
  database: CatalogDatabase,
): Pick<
  EntityCatalog,
  'addEntityType' | 'entityType' | 'entityTypes' | 'changeEntityType' | 'removeEntityType'
> {
  return {
    addEntityType: async ({ name, label, description }, { principal, now }) => {
      const problem = attributeNameProblem(name);
      if (problem !== undefined)
        throw new InvalidSettings('entity type', [{ path: 'name', message: problem }]);
      const row = {
        id: ulid(now.getTime()),
        name,
        label: optionalText(label),
        description: optionalText(description),
        updated_by: plainText(principal),
        created_at: now,
        updated_at: now,
      };
      try {
        return await database.write(async (transaction) => {
          await transaction.insertInto('entity_types').values(row).execute();
          return entityTypeOf(await findType(transaction, name));
        });
      } catch (error) {
        throw database.isDuplicate(error) ? new NameTaken('entity type', name) : error;
      }
    },
    entityType: (name) => database.read(async (db) => entityTypeOf(await findType(db, name))),
    entityTypes: (page) => pageOfTypes(database, page),
    changeEntityType: (name, change, lockVersion, { principal, now }) =>
      database.write(async (transaction) => {
        const { lock_version } = await lockType(database, transaction, name);
        if (lock_version !== lockVersion)
          throw new EditConflict(`Entity type ${name}`, lockVersion, lock_version);
        const { label, description } = change;
        await transaction
          .updateTable('entity_types')
          .set({
            ...(label !== undefined && { label: optionalText(label) }),
            ...(description !== undefined && { description: optionalText(description) }),
            lock_version: lock_version + 1,
            updated_by: plainText(principal),
            updated_at: now,
          })
          .where('name', '=', name)
          .execute();
        return entityTypeOf(await findType(transaction, name));
      }),
    removeEntityType: (name) =>
      database.write(async (transaction) => {
        const { id } = await lockType(database, transaction, name);
        const use = await useOf(transaction, id);
        if (use !== undefined) throw new InUse(`Entity type ${name}`, use);
        await transaction.deleteFrom('entity_types').where('id', '=', id).execute();
      }),
  };
}

async function pageOfTypes(
  database: CatalogDatabase,
  { after, limit }: PageRequest,
): Promise<Page<EntityType>> {
  const rows = await database.read((db) => {
    const query = db
      .selectFrom('entity_types')
      .selectAll()
      .orderBy('name')
      .limit(limit + 1);
    return (after === undefined ? query : query.where('name', '>', after)).execute();
  });
  const items = rows.slice(0, limit).map(entityTypeOf);
  const last = items.at(-1);
  return { items, ...(rows.length > limit && last !== undefined && { next: last.name }) };
}

/** @throws {@link NotFound} */
export async function findType(
  db: Kysely<Tables>,
  name: string,
): Promise<Selectable<EntityTypesTable>> {
  const row = await db
    .selectFrom('entity_types')
    .selectAll()
    .where('name', '=', plainText(name))
    .executeTakeFirst();
  if (row === undefined) throw new NotFound('entity type', name);
  return row;
}

/** Keeps others from changing a type, its attributes and its pipelines until the transaction ends. @throws {@link NotFound} */
export async function lockType(
  { locksRows }: CatalogDatabase,
  transaction: Transaction<Tables>,
  name: string,
): Promise<Selectable<EntityTypesTable>> {
  const row = await transaction
    .selectFrom('entity_types')
    .selectAll()
    .where('name', '=', plainText(name))
    .$if(locksRows, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) throw new NotFound('entity type', name);
  return row;
}

function entityTypeOf(row: Selectable<EntityTypesTable>): EntityType {
  return {
    id: row.id,
    name: row.name,
    label: row.label,
    description: row.description,
    lockVersion: row.lock_version,
    updatedBy: row.updated_by,
    createdAt: readTime(row.created_at),
    updatedAt: readTime(row.updated_at),
  };
}

async function useOf(transaction: Transaction<Tables>, id: string): Promise<string | undefined> {
  const entity = await transaction
    .selectFrom('entities')
    .select('id')
    .where('entity_type_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  if (entity !== undefined) return 'it has entities. Remove them first.';
  const attribute = await transaction
    .selectFrom('attributes')
    .innerJoin('entity_types', 'entity_types.id', 'attributes.entity_type_id')
    .select(['attributes.name', 'entity_types.name as of'])
    .where((eb) => eb.or([eb('entity_type_id', '=', id), eb('related_entity_type_id', '=', id)]))
    .limit(1)
    .executeTakeFirst();
  return (
    attribute &&
    `attribute ${attribute.name} of ${attribute.of} is its own, or belongs to it. Remove that first.`
  );
}
