import type { ExpressionBuilder } from 'kysely';
import type { EvalCatalog, EvalSelection } from '../../../src/attribute-pipeline/eval-catalog.js';
import { passes } from '../../../src/attribute-pipeline/eval.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { optionalText, writeJson } from '../values.js';
import { countsOf } from './eval-rates.js';
import { evalOf, findEval, selectEvals } from './eval-rows.js';
import { writeUsage } from './usage-rows.js';

/** The part of the port that has to do with running evals. */
export function evalRuns(
  database: CatalogDatabase,
): Pick<EvalCatalog, 'evalsToRun' | 'countEvals' | 'recordEvals'> {
  return {
    evalsToRun: async (pipelineId, { limit, ...selection }) => {
      const rows = await database.read((db) =>
        selectEvals(db)
          .where(areToRun(pipelineId, selection))
          .orderBy('pipeline_evals.id')
          .limit(limit)
          .execute(),
      );
      return rows.map(evalOf);
    },
    countEvals: async (pipelineId, selection) => {
      if (selection === undefined) return (await countsOf(database, pipelineId)).evals;
      const { count } = await database.read((db) =>
        db
          .selectFrom('pipeline_evals')
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .where(areToRun(pipelineId, selection))
          .executeTakeFirstOrThrow(),
      );
      return count;
    },
    recordEvals: (pipelineId, outcomes, usage, now) =>
      database.write(async (transaction) => {
        for (const { id, inputHash, actualOutput, justification, confidence } of outcomes) {
          const { desiredOutput, comparison } = await findEval(transaction, id);
          await transaction
            .updateTable('pipeline_evals')
            .set({
              input_hash: inputHash,
              actual_output: actualOutput === undefined ? null : writeJson(actualOutput),
              justification: optionalText(justification),
              confidence,
              passed: actualOutput !== undefined && passes(comparison, desiredOutput, actualOutput),
              last_ran_at: now,
            })
            .where('id', '=', id)
            .execute();
        }
        await writeUsage(transaction, { pipelineId, runId: '' }, usage, now);
      }),
  };
}

function areToRun(pipelineId: string, { since, after }: Omit<EvalSelection, 'limit'>) {
  return (eb: ExpressionBuilder<Tables, 'pipeline_evals'>) =>
    eb.and([
      eb('pipeline_evals.pipeline_id', '=', pipelineId),
      eb.or([
        eb('pipeline_evals.last_ran_at', 'is', null),
        eb('pipeline_evals.last_ran_at', '<', since),
      ]),
      ...(after === null ? [] : [eb('pipeline_evals.id', '>', after)]),
    ]);
}
