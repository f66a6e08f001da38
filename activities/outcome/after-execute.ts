import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ExecutionOutcome } from '../../src/config/hooks.js';
import { AFTER_EXECUTE_ATTEMPTS, type RunOutcome } from '../../src/outcome/outcome.js';
import type { ActivityDependencies } from '../dependencies.js';

/** Wait before another worker is asked for a hook that this one lacks: a deploy that brings it takes its time. */
const MISSING_HOOK_RETRY = '30s';

/** Calls the project's `afterExecute`. Throws what it throws, to be called again; after the last time, only logs it. */
export async function runAfterExecute(
  { outcomes, log }: ActivityDependencies,
  outcome: RunOutcome,
): Promise<void> {
  const afterExecute = outcomes?.afterExecute();
  if (afterExecute === undefined) {
    missingHook(log, outcome);
    return;
  }
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
      afterExecute(name, executionOutcome(outcome), info),
      Context.current().cancelled,
    ]);
  } catch (error) {
    const { attempt } = Context.current().info;
    log.error({ err: error, run: workflowId, attempt }, 'afterExecute failed');
    if (attempt < AFTER_EXECUTE_ATTEMPTS) throw error;
  }
}

/** The run was started by a process whose config has the hook. Silence would lose an audit entry; another worker may have it. */
function missingHook(log: ActivityDependencies['log'], { workflowId: run }: RunOutcome): void {
  const { attempt } = Context.current().info;
  if (attempt >= AFTER_EXECUTE_ATTEMPTS) {
    log.error({ run, attempt }, `${MISSING_HOOK} Nobody was told of this run's end.`);
    return;
  }
  log.warn({ run, attempt }, `${MISSING_HOOK} Asking again, maybe another worker.`);
  throw ApplicationFailure.create({
    type: 'AfterExecuteMissing',
    message: MISSING_HOOK,
    nextRetryDelay: MISSING_HOOK_RETRY,
  });
}

const MISSING_HOOK =
  'afterExecute is due, but the configuration of this worker does not have it; that of the process which started the run does.';

function executionOutcome({ status, result, failure }: RunOutcome): ExecutionOutcome {
  if (status === 'completed') return { status, result: result ?? null };
  return { status, error: { type: failure?.type ?? 'Error', message: failure?.message ?? '' } };
}
