import type { Kysely, Selectable } from 'kysely';
import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { Entity, EntityWithValues } from '../../../src/attribute-pipeline/entity-catalog.js';
import type { AttributeValue } from '../../../src/attribute-pipeline/value.js';
import type { EntitiesTable } from '../attribute-tables.js';
import { inParts } from '../attribute-pipelines/pending-changes.js';
import { attributeValue } from '../eav-rows.js';
import type { Tables } from '../tables.js';
import { readTime } from '../values.js';

/** An entity as it is kept, with the name of its type. */
export type EntityRow = Selectable<EntitiesTable> & { readonly entity_type: string };

/** Entities with the names of their types. */
export function selectEntities(db: Kysely<Tables>) {
  return db
    .selectFrom('entities')
    .innerJoin('entity_types', 'entity_types.id', 'entities.entity_type_id')
    .selectAll('entities')
    .select('entity_types.name as entity_type');
}

/** @throws {@link NotFound} */
export async function findEntity(db: Kysely<Tables>, id: string): Promise<EntityRow> {
  const row = await selectEntities(db).where('entities.id', '=', id).executeTakeFirst();
  if (row === undefined) throw new NotFound('entity', id);
  return row;
}

/**
 * The ids of entities that are named by their ids, or by type and key: `airport.DEN`.
 *
 * @throws {@link NotFound} for a key that is not there; ids are not looked for
 */
export async function entityIds(
  db: Kysely<Tables>,
  names: readonly string[],
): Promise<readonly string[]> {
  const keyed = names.flatMap((name) => typeAndKey(name) ?? []);
  const ids = new Map<string, string>();
  for (const type of new Set(keyed.map((named) => named.type))) {
    const keys = keyed.filter((named) => named.type === type).map(({ key }) => key);
    for (const [key, id] of await idsByKey(db, type, keys)) ids.set(`${type}.${key}`, id);
  }
  return names.map((name) => {
    const id = typeAndKey(name) === undefined ? name : ids.get(name);
    if (id === undefined) throw new NotFound('entity', name);
    return id;
  });
}

/** The ids of a type's entities by their keys, of those that are there. */
export async function idsByKey(
  db: Kysely<Tables>,
  entityType: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (const part of inParts(keys)) {
    const rows = await selectEntities(db)
      .where('entity_types.name', '=', entityType)
      .where('entities.key', 'in', part)
      .execute();
    for (const { key, id } of rows) ids.set(key ?? '', id);
  }
  return ids;
}

/** The types of entities, each once. */
export async function typesOf(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<readonly string[]> {
  const types = new Set<string>();
  for (const part of inParts(ids)) {
    const rows = await db
      .selectFrom('entities')
      .innerJoin('entity_types', 'entity_types.id', 'entities.entity_type_id')
      .select('entity_types.name')
      .distinct()
      .where('entities.id', 'in', part)
      .execute();
    for (const { name } of rows) types.add(name);
  }
  return [...types];
}

/** The keys of entities by their ids, of those that are there and have one. */
export async function keysById(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  for (const part of inParts(ids)) {
    const rows = await db
      .selectFrom('entities')
      .select(['id', 'key'])
      .where('id', 'in', part)
      .execute();
    for (const { key, id } of rows) if (key !== null) keys.set(id, key);
  }
  return keys;
}

/** Keys may have dots, types and ids have none. */
function typeAndKey(name: string): { readonly type: string; readonly key: string } | undefined {
  const dot = name.indexOf('.');
  return dot < 0 ? undefined : { type: name.slice(0, dot), key: name.slice(dot + 1) };
}

/** An entity as the ports tell it. */
export function entityOf(row: EntityRow): Entity {
  return {
    id: row.id,
    entityType: row.entity_type,
    key: row.key,
    label: row.label,
    createdAt: readTime(row.created_at),
    updatedAt: readTime(row.updated_at),
  };
}

/** Entities with what they have of their attributes, in the order of the rows. */
export async function withValues(
  db: Kysely<Tables>,
  rows: readonly EntityRow[],
): Promise<readonly EntityWithValues[]> {
  const values = new Map<string, Record<string, AttributeValue>>();
  for (const part of inParts(rows)) {
    const found = await db
      .selectFrom('eav_versioned')
      .innerJoin('attributes', 'attributes.id', 'eav_versioned.attribute_id')
      .selectAll('eav_versioned')
      .select('attributes.name')
      .where(
        'eav_versioned.entity_id',
        'in',
        part.map(({ id }) => id),
      )
      // Where a module has passed over an entity that has none there is a row, and no value.
      .where('eav_versioned.version', '>', 0)
      .orderBy('attributes.name')
      .execute();
    for (const row of found) {
      const ofEntity = values.get(row.entity_id) ?? {};
      ofEntity[row.name] = attributeValue(row);
      values.set(row.entity_id, ofEntity);
    }
  }
  return rows.map((row) => ({ ...entityOf(row), values: values.get(row.id) ?? {} }));
}
