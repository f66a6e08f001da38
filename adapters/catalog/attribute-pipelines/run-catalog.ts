import type { RunCatalog } from '../../../src/attribute-pipeline/run-catalog.js';
import type { CatalogDatabase } from '../database.js';
import { readTime } from '../values.js';
import { runBatches } from './run-batches.js';
import { runCandidates } from './run-candidates.js';
import { runClaims } from './run-claims.js';
import { runCosts } from './run-costs.js';
import { openRuns } from './open-runs.js';
import { runQuotes } from './run-quotes.js';
import { runSpending } from './run-spending.js';
import { attributeRun, findRun, selectRuns } from './run-rows.js';

/** The runs of attribute pipelines in a SQL database. */
export function runCatalog(database: CatalogDatabase): RunCatalog {
  return {
    ...runClaims(database),
    ...runCandidates(database),
    ...runBatches(database),
    ...runSpending(database),
    ...runQuotes(database),
    ...openRuns(database),
    ...runCosts(database),
    run: (id) => database.read(async (db) => attributeRun(await findRun(db, id))),
    runs: async ({ after, limit }, { entityType, attribute } = {}) => {
      const rows = await database.read((db) => {
        let query = selectRuns(db)
          .orderBy('pipeline_runs.id', 'desc')
          .limit(limit + 1);
        if (after !== undefined) query = query.where('pipeline_runs.id', '<', after);
        if (entityType !== undefined) query = query.where('entity_types.name', '=', entityType);
        if (attribute !== undefined) query = query.where('attributes.name', '=', attribute);
        return query.execute();
      });
      const items = rows.slice(0, limit).map(attributeRun);
      const last = items.at(-1);
      return { items, ...(rows.length > limit && last !== undefined && { next: last.id }) };
    },
    failures: async (id, { after, limit }) => {
      const rows = await database.read(async (db) => {
        await findRun(db, id);
        let query = db
          .selectFrom('pipeline_run_failures')
          .leftJoin('entities', 'entities.id', 'pipeline_run_failures.entity_id')
          .selectAll('pipeline_run_failures')
          .select('entities.key as entity_key')
          .where('run_id', '=', id)
          .orderBy('entity_id')
          .limit(limit + 1);
        if (after !== undefined) query = query.where('entity_id', '>', after);
        return query.execute();
      });
      const items = rows.slice(0, limit).map((row) => ({
        entityId: row.entity_id,
        entityKey: row.entity_key,
        module: row.module_class,
        message: row.message,
        at: readTime(row.at),
      }));
      const last = items.at(-1);
      return { items, ...(rows.length > limit && last !== undefined && { next: last.entityId }) };
    },
  };
}
