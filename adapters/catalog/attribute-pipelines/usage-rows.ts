import type { Transaction } from 'kysely';
import type { RunUsage } from '../../../src/attribute-pipeline/run-catalog.js';
import type { Tables } from '../tables.js';
import { dayOf } from './run-spending.js';

/** Who has asked models. */
export interface UsedBy {
  readonly pipelineId: string;
  /** Empty for evals. */
  readonly runId: string;
}

/** Adds what was used of models to what was used on the same day. */
export async function writeUsage(
  transaction: Transaction<Tables>,
  { pipelineId, runId }: UsedBy,
  usage: readonly RunUsage[],
  now: Date,
): Promise<void> {
  const day = dayOf(now);
  for (const { model, calls, tokensIn, tokensOut, cost } of usage)
    await transaction
      .insertInto('pipeline_usage')
      .values({
        pipeline_id: pipelineId,
        run_id: runId,
        model,
        day,
        calls,
        tokens_in: tokensIn,
        tokens_out: tokensOut,
        cost,
      })
      .onConflict((conflict) =>
        conflict.columns(['pipeline_id', 'run_id', 'model', 'day']).doUpdateSet((eb) => ({
          calls: eb('pipeline_usage.calls', '+', calls),
          tokens_in: eb('pipeline_usage.tokens_in', '+', tokensIn),
          tokens_out: eb('pipeline_usage.tokens_out', '+', tokensOut),
          ...(cost !== null && {
            cost: eb(eb.fn.coalesce('pipeline_usage.cost', eb.lit(0)), '+', cost),
          }),
        })),
      )
      .execute();
}
