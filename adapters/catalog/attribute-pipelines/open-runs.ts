import type { RunCatalog } from '../../../src/attribute-pipeline/run-catalog.js';
import type { CatalogDatabase } from '../database.js';
import { attributeRun, selectRuns } from './run-rows.js';

/** The part of the port that says what goes on, and what is left to be looked at. */
export function openRuns(
  database: CatalogDatabase,
): Pick<RunCatalog, 'active' | 'due' | 'unfinished'> {
  return {
    active: async ({ entityType, attribute }) => {
      const row = await database.read((db) =>
        selectRuns(db)
          .where('entity_types.name', '=', entityType)
          .where('attributes.name', '=', attribute)
          .where('pipeline_runs.status', '=', 'running')
          .executeTakeFirst(),
      );
      return row === undefined ? undefined : attributeRun(row);
    },
    due: (entityType) =>
      database.read((db) => {
        let query = db
          .selectFrom('pipelines')
          .innerJoin('attributes', 'attributes.id', 'pipelines.attribute_id')
          .innerJoin('entity_types', 'entity_types.id', 'pipelines.entity_type_id')
          .select(['entity_types.name as entityType', 'attributes.name as attribute'])
          .where('pipelines.automatic', '=', true)
          .where((eb) =>
            eb.exists(
              eb
                .selectFrom('pipeline_changes')
                .select('pipeline_changes.pipeline_id')
                .whereRef('pipeline_changes.pipeline_id', '=', 'pipelines.id')
                // Who has failed is tried again each night, when it changes, and when somebody asks for it.
                .where('pipeline_changes.cause', '<>', 'request')
                .where((inner) =>
                  inner.or([
                    inner('pipelines.looked_at', 'is', null),
                    inner('pipeline_changes.at', '>', inner.ref('pipelines.looked_at')),
                  ]),
                ),
            ),
          );
        if (entityType !== undefined) query = query.where('entity_types.name', '=', entityType);
        return query.execute();
      }),
    unfinished: async (limit) => {
      const rows = await database.read((db) =>
        selectRuns(db)
          .where('pipeline_runs.status', 'in', ['waiting', 'running'])
          .orderBy('pipeline_runs.id')
          .limit(limit)
          .execute(),
      );
      return rows.map(attributeRun);
    },
  };
}
