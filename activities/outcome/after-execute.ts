import { Context } from '@temporalio/activity';
import type { ExecutionOutcome } from '../../src/config/hooks.js';
import { AFTER_EXECUTE_ATTEMPTS, type RunOutcome } from '../../src/outcome/outcome.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Calls the project's `afterExecute`. Throws what it throws, to be called again; after the last time, only logs it. */
export async function runAfterExecute(
  { outcomes, log }: ActivityDependencies,
  outcome: RunOutcome,
): Promise<void> {
  const { executionId: id, workflowId, runId, name, principal, startedAt, completedAt } = outcome;
  const info = {
    id,
    workflowId,
    runId,
    ...(principal !== undefined && { principal }),
    durationMs: completedAt - startedAt,
  };
  try {
    // A hook that never ends must not keep a worker from stopping.
    await Promise.race([
      outcomes?.afterExecute?.(name, executionOutcome(outcome), info),
      Context.current().cancelled,
    ]);
  } catch (error) {
    const { attempt } = Context.current().info;
    log.error({ err: error, run: workflowId, attempt }, 'afterExecute failed');
    if (attempt < AFTER_EXECUTE_ATTEMPTS) throw error;
  }
}

function executionOutcome({ status, result, failure }: RunOutcome): ExecutionOutcome {
  if (status === 'completed') return { status, result: result ?? null };
  return { status, error: { type: failure?.type ?? 'Error', message: failure?.message ?? '' } };
}
