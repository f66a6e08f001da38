import type { RunCatalog, RunQuote } from '../../../src/attribute-pipeline/run-catalog.js';
import type { CatalogDatabase } from '../database.js';
import { pipelineRow } from './pipeline-rows.js';
import { selectCandidates } from './run-candidates.js';
import { pastCosts } from './run-spending.js';

/** The part of the port that says what a run would take. */
export function runQuotes(database: CatalogDatabase): Pick<RunCatalog, 'quote'> {
  return {
    quote: (place, task) =>
      database.read(async (db): Promise<RunQuote> => {
        const pipeline = await pipelineRow(db, place);
        const query = await selectCandidates(database, db, {
          entity_type_id: pipeline.entity_type_id,
          entity_type: pipeline.entity_type,
          pipeline_id: pipeline.id,
          pipeline_version: pipeline.pipeline_version,
          covered_version: pipeline.covered_version,
          reads_elsewhere: pipeline.reads_elsewhere,
          task: JSON.stringify(task),
        });
        const { count } = await query
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        const entities = Math.min(count, task.maxEntities ?? Infinity);
        const past = await pastCosts(db, pipeline.id);
        const of = (total: number | null): number | null =>
          total === null || past.entities === 0 ? null : (total / past.entities) * entities;
        return {
          entities,
          tokensIn: rounded(of(past.tokensIn)),
          tokensOut: rounded(of(past.tokensOut)),
          cost: of(past.cost),
          runsLookedAt: past.runs,
        };
      }),
  };
}

function rounded(tokens: number | null): number | null {
  return tokens === null ? null : Math.round(tokens);
}
