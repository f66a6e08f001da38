import { sql } from 'kysely';
import type {
  CostGroup,
  CostRow,
  RunCatalog,
} from '../../../src/attribute-pipeline/run-catalog.js';
import type { CatalogDatabase } from '../database.js';
import { readTime } from '../values.js';

/** What each group is in the tables. */
const GROUPS = {
  pipeline: sql<string>`entity_types.name || '.' || attributes.name`,
  model: sql<string>`pipeline_usage.model`,
  day: sql<string>`pipeline_usage.day`,
  run: sql<string>`pipeline_usage.run_id`,
} as const satisfies Record<CostGroup, unknown>;

/** The parts of the port that say what models have taken, and what was not looked at yet. */
export function runCosts(database: CatalogDatabase): Pick<RunCatalog, 'costs' | 'pendingChange'> {
  return {
    costs: ({ by, place, entityType, from, to, limit }) =>
      database.read(async (db): Promise<readonly CostRow[]> => {
        let query = db
          .selectFrom('pipeline_usage')
          .innerJoin('pipelines', 'pipelines.id', 'pipeline_usage.pipeline_id')
          .innerJoin('attributes', 'attributes.id', 'pipelines.attribute_id')
          .innerJoin('entity_types', 'entity_types.id', 'pipelines.entity_type_id')
          .select((eb) => [
            eb.fn.sum<number | string>('pipeline_usage.calls').as('calls'),
            eb.fn.sum<number | string>('pipeline_usage.tokens_in').as('tokensIn'),
            eb.fn.sum<number | string>('pipeline_usage.tokens_out').as('tokensOut'),
            eb.fn.sum<number | null>('pipeline_usage.cost').as('cost'),
          ])
          .select(by.map((group) => GROUPS[group].as(group)))
          .groupBy(by.map((group) => GROUPS[group]))
          .orderBy(sql`max(pipeline_usage.day)`, 'desc')
          .limit(limit);
        for (const group of by) query = query.orderBy(GROUPS[group]);
        if (place !== undefined)
          query = query
            .where('entity_types.name', '=', place.entityType)
            .where('attributes.name', '=', place.attribute);
        if (entityType !== undefined) query = query.where('entity_types.name', '=', entityType);
        if (from !== undefined) query = query.where('pipeline_usage.day', '>=', from);
        if (to !== undefined) query = query.where('pipeline_usage.day', '<=', to);
        const rows = await query.execute();
        // PostgreSQL sums large whole numbers to ones that the driver gives as text.
        return rows.map(({ calls, tokensIn, tokensOut, ...row }) => ({
          ...row,
          calls: Number(calls),
          tokensIn: Number(tokensIn),
          tokensOut: Number(tokensOut),
        }));
      }),
    pendingChange: (pipelineId, entityId) =>
      database.read(async (db) => {
        const row = await db
          .selectFrom('pipeline_changes')
          .leftJoin('attributes', 'attributes.id', 'pipeline_changes.attribute_id')
          .select(['pipeline_changes.cause', 'pipeline_changes.at', 'attributes.name'])
          .where('pipeline_changes.pipeline_id', '=', pipelineId)
          .where('pipeline_changes.entity_id', '=', entityId)
          .executeTakeFirst();
        if (row === undefined) return null;
        return { cause: row.cause, attribute: row.name, at: readTime(row.at) };
      }),
  };
}
