import type {
  AwaitingValue,
  EntityCatalog,
} from '../../../src/attribute-pipeline/entity-catalog.js';
import type { CatalogDatabase } from '../database.js';
import { attributeValue } from '../eav-rows.js';
import { readTime } from '../values.js';

/** The part of the port that has the queue of what is to be approved. */
export function awaitingValues(database: CatalogDatabase): Pick<EntityCatalog, 'awaitingApproval'> {
  return {
    awaitingApproval: async ({ entityType, attribute }, { after, limit }) => {
      const rows = await database.read((db) => {
        let query = db
          .selectFrom('eav_versioned')
          .innerJoin('attributes', 'attributes.id', 'eav_versioned.attribute_id')
          .innerJoin('entities', 'entities.id', 'eav_versioned.entity_id')
          .innerJoin('entity_types', 'entity_types.id', 'entities.entity_type_id')
          .selectAll('eav_versioned')
          .select([
            'attributes.name as attribute',
            'entity_types.name as entity_type',
            'entities.key',
            'entities.label',
            'entities.created_at as entity_created_at',
            'entities.updated_at as entity_updated_at',
          ])
          .where('eav_versioned.awaits_approval', '=', true)
          .orderBy('eav_versioned.updated_at')
          .orderBy('eav_versioned.entity_id')
          .orderBy('eav_versioned.attribute_id')
          .limit(limit + 1);
        if (entityType !== undefined) query = query.where('entity_types.name', '=', entityType);
        if (attribute !== undefined) query = query.where('attributes.name', '=', attribute);
        if (after !== undefined) {
          const [time = '', entityId = '', attributeId = ''] = after.split(' ');
          const at = new Date(time);
          query = query.where((eb) =>
            eb(
              eb.refTuple(
                'eav_versioned.updated_at',
                'eav_versioned.entity_id',
                'eav_versioned.attribute_id',
              ),
              '>',
              eb.tuple(at, entityId, attributeId),
            ),
          );
        }
        return query.execute();
      });
      const items = rows.slice(0, limit).map((row): AwaitingValue => ({
        entity: {
          id: row.entity_id,
          entityType: row.entity_type,
          key: row.key,
          label: row.label,
          createdAt: readTime(row.entity_created_at),
          updatedAt: readTime(row.entity_updated_at),
        },
        attribute: row.attribute,
        value: attributeValue(row),
        updatedAt: readTime(row.updated_at),
      }));
      const last = rows[limit - 1];
      return {
        items,
        ...(rows.length > limit &&
          last !== undefined && {
            next: `${readTime(last.updated_at).toISOString()} ${last.entity_id} ${last.attribute_id}`,
          }),
      };
    },
  };
}
