import type { EvalCatalog } from '../../../src/attribute-pipeline/eval-catalog.js';
import { passes } from '../../../src/attribute-pipeline/eval.js';
import type { CatalogDatabase } from '../database.js';
import { plainText, writeJson } from '../values.js';
import { countsOf } from './eval-rates.js';
import { evalOf, findEval, selectEvals } from './eval-rows.js';
import { writeUsage } from './usage-rows.js';

/** The part of the port that has to do with running evals. */
export function evalRuns(
  database: CatalogDatabase,
): Pick<EvalCatalog, 'evalsToRun' | 'countEvals' | 'recordEvals'> {
  return {
    evalsToRun: async (pipelineId, { since, after, limit }) => {
      const rows = await database.read((db) => {
        let query = selectEvals(db)
          .where('pipeline_evals.pipeline_id', '=', pipelineId)
          .where((eb) =>
            eb.or([
              eb('pipeline_evals.last_ran_at', 'is', null),
              eb('pipeline_evals.last_ran_at', '<', since),
            ]),
          )
          .orderBy('pipeline_evals.id')
          .limit(limit);
        if (after !== null) query = query.where('pipeline_evals.id', '>', after);
        return query.execute();
      });
      return rows.map(evalOf);
    },
    countEvals: async (pipelineId) => (await countsOf(database, pipelineId)).evals,
    recordEvals: (pipelineId, outcomes, usage, now) =>
      database.write(async (transaction) => {
        for (const { id, inputHash, actualOutput, justification, confidence } of outcomes) {
          const { desiredOutput, comparison } = await findEval(transaction, id);
          await transaction
            .updateTable('pipeline_evals')
            .set({
              input_hash: inputHash,
              actual_output: actualOutput === undefined ? null : writeJson(actualOutput),
              justification: justification === null ? null : plainText(justification),
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
