import { defineSearchAttributeKey, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setWorkflowOptions,
  sleep,
  startChild,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import type { DataFlowActivities } from '../activities/data-flow/activities.js';
import {
  CLAIM_ACTIVITY,
  RECONCILE_ACTIVITY,
  type ClaimOutcome,
  type FlowStart,
} from '../src/data-flow/run.js';
import { onTheCurrentBuild } from './current-build.js';
import { continueWhereSuggested } from './long-history.js';

const { [CLAIM_ACTIVITY]: claim } = proxyActivities<DataFlowActivities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1d',
  retry: {
    initialInterval: '500ms',
    backoffCoefficient: 2,
    maximumInterval: '30s',
  },
});

const { [RECONCILE_ACTIVITY]: reconcile } = proxyActivities<DataFlowActivities>({
  startToCloseTimeout: '2m',
  retry: { maximumAttempts: 2 },
});

/** Set by Temporal on what a schedule starts. */
const SCHEDULED_START = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** Waits between two looks whether the run that is active has ended. */
const BUSY_WAIT = { firstMs: 1_000, factor: 1.5, maximumMs: 30_000 } as const;

/** What came of a scheduled time. */
export interface TriggerResult {
  /** The run's workflow id. */
  readonly run?: string;
  readonly status?: 'completed' | 'failed' | 'started elsewhere';
  /** Why there was no run. */
  readonly skipped?: string;
}

/**
 * What a Temporal Schedule starts for each scheduled time: claims the next run of the flow, starts it and lasts until its end,
 * so that the schedule's overlap policy knows of it.
 *
 * @param flow - the flow's name, which is all that a schedule knows
 * @param carriedTime - the scheduled time, ISO 8601, where the workflow has continued as new
 */
export async function triggerDataFlow(flow: string, carriedTime?: string): Promise<TriggerResult> {
  const scheduledAt = carriedTime ?? scheduledTime();
  const isFirst = workflowInfo().continuedFromExecutionRunId === undefined;
  // Without an end of its own: a run may take as long as its flow allows, and the time was asked for.
  for (let round = 0; ; round += 1) {
    const outcome: ClaimOutcome = await claim({
      flow,
      ...(scheduledAt !== undefined && { scheduledAt }),
      first: isFirst && round === 0,
    });
    if (outcome.kind === 'skipped') return { skipped: outcome.reason };
    if (outcome.kind === 'start') return run(outcome.start);
    const waitMs = Math.min(BUSY_WAIT.maximumMs, BUSY_WAIT.firstMs * BUSY_WAIT.factor ** round);
    await sleep(Math.round(waitMs), { summary: 'the end of the active run' });
    await continueWhereSuggested(() => continueAsNew<typeof triggerDataFlow>(flow, scheduledAt));
  }
}

async function run(start: FlowStart): Promise<TriggerResult> {
  const { workflowType, workflowId, argument, memo, workflowExecutionTimeoutMs } = start;
  try {
    const child = await startChild(workflowType, {
      workflowId,
      args: [argument],
      memo: { ...memo },
      workflowExecutionTimeout: workflowExecutionTimeoutMs,
      // A catalog that was begun anew counts from one again. That a claim runs once is kept by the catalog itself.
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      // A policy that ends the trigger means its run.
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      ...(start.summary !== undefined && { staticSummary: start.summary }),
    });
    await child.result();
    return { run: workflowId, status: 'completed' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    // A reconciliation that found the claim without a workflow was faster.
    if (error instanceof WorkflowExecutionAlreadyStartedError)
      return { run: workflowId, status: 'started elsewhere' };
    // The run has told of its failure itself. A trigger that failed, too, would pause schedules that pause on failure.
    return { run: workflowId, status: 'failed' };
  }
}

/** The time of the schedule that started this workflow, or undefined for one that was started by hand. */
function scheduledTime(): string | undefined {
  return workflowInfo().typedSearchAttributes.get(SCHEDULED_START)?.toISOString();
}

/** Closes what ended without its code, starts what was claimed and never began, and brings schedules up to date. */
export async function reconcileDataFlows(): Promise<unknown> {
  return reconcile();
}

setWorkflowOptions(onTheCurrentBuild, triggerDataFlow);
setWorkflowOptions(onTheCurrentBuild, reconcileDataFlows);
