import { sql, type Kysely } from 'kysely';
import type { EvalCatalog, EvalStats } from '../../../src/attribute-pipeline/eval-catalog.js';
import type { EvalRate } from '../../../src/attribute-pipeline/eval.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { readTime } from '../values.js';
import { pipelineRow } from './pipeline-rows.js';

/** Values that the average confidence is of. */
const VALUES_LOOKED_AT = 1_000;

/** The part of the port that says how many evals pass. */
export function evalRates(
  database: CatalogDatabase,
): Pick<EvalCatalog, 'recordRate' | 'rates' | 'stats'> {
  return {
    recordRate: async (pipelineId, pipelineVersion, now) => {
      const { evals, passed } = await countsOf(database, pipelineId);
      const rate: EvalRate = { at: now, pipelineVersion, evals, passed };
      await database.write((transaction) =>
        transaction
          .insertInto('pipeline_eval_rates')
          .values({
            pipeline_id: pipelineId,
            at: now,
            pipeline_version: pipelineVersion,
            evals,
            passed,
          })
          .onConflict((conflict) =>
            conflict.columns(['pipeline_id', 'at']).doUpdateSet({ evals, passed }),
          )
          .execute(),
      );
      return rate;
    },
    rates: (place, { after, limit }) =>
      database.read(async (db) => {
        const { id } = await pipelineRow(db, place);
        let query = db
          .selectFrom('pipeline_eval_rates')
          .selectAll()
          .where('pipeline_id', '=', id)
          .orderBy('at', 'desc')
          .limit(limit + 1);
        if (after !== undefined) query = query.where('at', '<', new Date(after));
        const rows = await query.execute();
        const items = rows.slice(0, limit).map((row) => ({
          at: readTime(row.at),
          pipelineVersion: row.pipeline_version,
          evals: row.evals,
          passed: row.passed,
        }));
        const last = items.at(-1);
        return {
          items,
          ...(rows.length > limit && last !== undefined && { next: last.at.toISOString() }),
        };
      }),
    stats: async (pipelineIds) => {
      const found = new Map<string, EvalStats>();
      for (const id of pipelineIds) {
        const { evals, passed, ran } = await countsOf(database, id);
        const averageConfidence = await database.read((db) => confidenceOf(db, id));
        found.set(id, { evals, failing: ran - passed, averageConfidence });
      }
      return found;
    },
  };
}

/** How many evals a pipeline has, has run, and passes. */
export async function countsOf(database: CatalogDatabase, pipelineId: string) {
  return database.read((db) =>
    db
      .selectFrom('pipeline_evals')
      .select((eb) => [
        eb.fn.countAll<number>().as('evals'),
        eb.fn.count<number>('passed').as('ran'),
        eb.fn.count<number>(eb.case().when('passed', '=', true).then(1).end()).as('passed'),
      ])
      .where('pipeline_id', '=', pipelineId)
      .executeTakeFirstOrThrow(),
  );
}

async function confidenceOf(db: Kysely<Tables>, pipelineId: string): Promise<number | null> {
  const newest = db
    .selectFrom('eav_versioned')
    .innerJoin('pipelines', 'pipelines.attribute_id', 'eav_versioned.attribute_id')
    .select('eav_versioned.confidence')
    .where('pipelines.id', '=', pipelineId)
    .where('eav_versioned.confidence', 'is not', null)
    .orderBy('eav_versioned.updated_at', 'desc')
    .limit(VALUES_LOOKED_AT)
    .as('newest');
  const { average } = await db
    .selectFrom(newest)
    .select(sql<number | null>`avg(confidence)`.as('average'))
    .executeTakeFirstOrThrow();
  return average;
}
