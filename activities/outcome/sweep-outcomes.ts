import {
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import {
  executionIdOf,
  outcomeWorkflowId,
  receiversOf,
  type OutcomeReceivers,
  type RunOutcome,
} from '../../src/outcome/outcome.js';
import { FAILURE_TYPES, type Failure } from '../../src/pipeline/failure.js';
import type { ActivityDependencies } from '../dependencies.js';

/** How far back each sweep looks: sweeps that were missed while no worker ran are made up for. */
const LOOK_BACK_MS = 24 * 3_600_000;

/** Most deliveries that one sweep starts; the next one goes on. */
const MAX_STARTS = 2_000;

/** Runs that a sweep of this process has seen to; it need not ask again whether they were. */
const seen = new LRUCache<string, true>({ max: 100_000 });

/**
 * Finds runs that Temporal terminated or timed out, of which no workflow code could tell, and starts their deliveries.
 *
 * @returns how many deliveries were started
 */
export async function sweepOutcomes({ outcomes, log }: ActivityDependencies): Promise<number> {
  if (outcomes === undefined) return 0;
  const since = new Date(Date.now() - LOOK_BACK_MS).toISOString();
  const query = `ExecutionStatus IN ('Terminated', 'TimedOut') AND CloseTime > '${since}' AND TaskQueue = '${outcomes.taskQueue}'`;
  let tried = 0;
  let started = 0;
  for await (const run of outcomes.client.workflow.list({ query })) {
    const receivers = receiversOf(run.memo);
    if (receivers === undefined || seen.has(run.runId)) continue;
    tried += 1;
    if (tried > MAX_STARTS) break;
    try {
      if (await startDelivery(outcomes, run, receivers)) started += 1;
      seen.set(run.runId, true);
    } catch (error) {
      // The others are told all the same; this one is tried again by the next sweep.
      log.warn({ err: error, run: run.workflowId }, 'the end of a run could not be told');
    }
  }
  if (started > 0) log.info({ started }, 'sweep found runs whose end nobody had been told of');
  return started;
}

async function startDelivery(
  { client, taskQueue }: NonNullable<ActivityDependencies['outcomes']>,
  run: WorkflowExecutionInfo,
  receivers: OutcomeReceivers,
): Promise<boolean> {
  try {
    await client.workflow.start('deliverOutcome', {
      taskQueue,
      workflowId: outcomeWorkflowId(run.workflowId),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [outcomeOf(run), receivers],
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

function outcomeOf(run: WorkflowExecutionInfo): RunOutcome {
  const terminated = run.status.name === 'TERMINATED';
  const principal = run.memo?.['principal'];
  const failure: Failure = terminated
    ? { type: 'terminated', message: 'The run was terminated.', retryable: false }
    : {
        type: FAILURE_TYPES.timeout,
        message: 'The run took longer than its timeout.',
        retryable: false,
      };
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    executionId: executionIdOf(run.workflowId),
    name: run.type,
    ...(typeof principal === 'string' && { principal }),
    status: terminated ? 'terminated' : 'timed_out',
    failure,
    startedAt: run.startTime.getTime(),
    completedAt: (run.closeTime ?? run.startTime).getTime(),
  };
}
