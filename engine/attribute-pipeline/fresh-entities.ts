import type { EntityCatalog } from '../../src/attribute-pipeline/entity-catalog.js';

/**
 * Entities whose changes have the pipelines that read them run.
 *
 * @param changed - told of the type whose entities have changed; what it does must not fail
 */
export function freshEntities(
  catalog: EntityCatalog,
  changed: (entityType: string) => Promise<void>,
): EntityCatalog {
  const typeOf = async (entityId: string): Promise<string> =>
    (await catalog.entity(entityId)).entityType;
  return {
    ...catalog,
    saveEntities: async (entityType, inputs, by) => {
      const saved = await catalog.saveEntities(entityType, inputs, by);
      if (saved.some(({ isNew, changed: names }) => isNew || names.length > 0))
        await changed(entityType);
      return saved;
    },
    publish: async (entityType, values, by) => {
      await catalog.publish(entityType, values, by);
      await changed(entityType);
    },
    changeValue: async (place, change, version, by) => {
      const value = await catalog.changeValue(place, change, version, by);
      await changed(await typeOf(place.entityId));
      return value;
    },
    changeValues: async (places, kind, by) => {
      const values = await catalog.changeValues(places, kind, by);
      const types = await Promise.all(
        [...new Set(places.map(({ entityId }) => entityId))].map(typeOf),
      );
      for (const type of new Set(types)) await changed(type);
      return values;
    },
  };
}
