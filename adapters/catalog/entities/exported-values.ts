import { sql, type Kysely } from 'kysely';
import type { Attribute } from '../../../src/attribute-pipeline/attribute.js';
import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { EntityCatalog } from '../../../src/attribute-pipeline/entity-catalog.js';
import type { Json } from '../../../src/definition/json.js';
import { inParts } from '../attribute-pipelines/pending-changes.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { readJson } from '../values.js';
import { attributesOf } from './attributes.js';
import { findType } from './entity-types.js';
import { applyChanges, keyOf, lockValues, type PlannedChange } from './value-changes.js';

/** The part of the port that exports values to other systems. */
export function exportedValues(
  database: CatalogDatabase,
): Pick<EntityCatalog, 'unpublished' | 'publish'> {
  return {
    unpublished: (entityType, names, { after, limit }) =>
      database.read(async (db) => {
        const { id } = await findType(db, entityType);
        const attributes = named(await attributesOf(db, entityType), entityType, names);
        const found = await differing(db, id, attributes, { after, limit: limit + 1 });
        const entities = found.slice(0, limit);
        const values = await approved(db, entities, attributes);
        const last = entities.at(-1);
        return {
          items: entities.map((entity) => ({
            ...entity,
            values: Object.fromEntries(values.get(entity.id) ?? []),
          })),
          ...(found.length > limit && last !== undefined && { next: last.id }),
        };
      }),
    publish: (entityType, values, by) =>
      database.write(async (transaction) => {
        await findType(transaction, entityType);
        const known = new Map(
          (await attributesOf(transaction, entityType)).map((one) => [one.name, one]),
        );
        const planned = values.flatMap(
          ({ entityId, attribute: name, value }): readonly PlannedChange[] => {
            const attribute = known.get(name);
            const change = { kind: 'published', value } as const;
            return attribute === undefined ? [] : [{ entityId, attribute, change }];
          },
        );
        const before = await lockValues(database, transaction, planned);
        // A value that is not there any more went with its entity.
        const there = planned.filter((one) => before.has(keyOf(one)));
        await applyChanges(database, transaction, there, before, by);
      }),
  };
}

/** @throws {@link NotFound} */
function named(
  known: readonly Attribute[],
  entityType: string,
  names: readonly string[],
): readonly Attribute[] {
  return names.map((name) => {
    const attribute = known.find((one) => one.name === name);
    if (attribute === undefined) throw new NotFound(`attribute of ${entityType}`, name);
    return attribute;
  });
}

interface KeyedEntity {
  readonly id: string;
  readonly key: string;
}

/** Entities of which another value is approved than was exported. */
async function differing(
  db: Kysely<Tables>,
  entityTypeId: string,
  attributes: readonly Attribute[],
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly KeyedEntity[]> {
  if (attributes.length === 0) return [];
  let query = db
    .selectFrom('entities')
    .select(['entities.id', 'entities.key'])
    .where('entities.entity_type_id', '=', entityTypeId)
    .where('entities.key', 'is not', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('eav_versioned')
          .select('eav_versioned.entity_id')
          .whereRef('eav_versioned.entity_id', '=', 'entities.id')
          .where(
            'eav_versioned.attribute_id',
            'in',
            attributes.map(({ id }) => id),
          )
          .where('eav_versioned.value_approved', 'is not', null)
          // PostgreSQL does not compare JSON. Where only the order of members differs, it is exported once more, and then is the same.
          .where(
            sql<boolean>`cast(${sql.ref('eav_versioned.value_approved')} as text) is distinct from cast(${sql.ref('eav_versioned.value_live')} as text)`,
          ),
      ),
    )
    .orderBy('entities.id')
    .limit(limit);
  if (after !== undefined) query = query.where('entities.id', '>', after);
  const rows = await query.execute();
  return rows.map(({ id, key }) => ({ id, key: key ?? '' }));
}

/** What is approved of entities, by their ids: names of attributes, and values. */
async function approved(
  db: Kysely<Tables>,
  entities: readonly KeyedEntity[],
  attributes: readonly Attribute[],
): Promise<ReadonlyMap<string, readonly (readonly [string, Json])[]>> {
  const nameOf = new Map(attributes.map(({ id, name }) => [id, name]));
  const values = new Map<string, (readonly [string, Json])[]>();
  for (const part of inParts(entities.map(({ id }) => id))) {
    const rows = await db
      .selectFrom('eav_versioned')
      .select(['entity_id', 'attribute_id', 'value_approved'])
      .where('entity_id', 'in', part)
      .where('attribute_id', 'in', [...nameOf.keys()])
      .where('value_approved', 'is not', null)
      .execute();
    for (const { entity_id: id, attribute_id: attributeId, value_approved: text } of rows) {
      const name = nameOf.get(attributeId);
      if (name === undefined || text === null) continue;
      const known = values.get(id) ?? [];
      known.push([name, readJson(text)]);
      values.set(id, known);
    }
  }
  return values;
}
