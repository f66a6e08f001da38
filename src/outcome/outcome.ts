import type { Json } from '../definition/json.js';
import { apiErrorType, type Failure } from '../pipeline/failure.js';
import type { ExecutionStatus } from '../progress/status.js';

/** How a run ended, with what its webhook and the `afterExecute` hook are told. */
export interface RunOutcome {
  /** The workflow id: `pipeline/summarize/01J…`. */
  readonly workflowId: string;
  readonly runId: string;
  readonly executionId: string;
  readonly name: string;
  readonly principal?: string;
  readonly status: Exclude<ExecutionStatus, 'pending' | 'running'>;
  readonly result?: Json;
  readonly failure?: Failure;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly completedAt: number;
}

/** What a run's memo says about its end: an optional webhook, and whether the project has an `afterExecute` hook. */
export interface OutcomeReceivers {
  readonly webhookUrl?: string;
  readonly afterExecute?: boolean;
}

/**
 * What a run that exceeded its own timeout is tagged with before it ends: to Temporal it is a failure like any other. It is
 * written by `patched()`, whose search attribute, `TemporalChangeVersion`, every Temporal server has without being asked to.
 */
export const TIMED_OUT_TAG = 'millrace.timed_out';

/** Names of the activities around a run's end. */
export const POST_WEBHOOK_ACTIVITY = 'millrace.postWebhook';
export const AFTER_EXECUTE_ACTIVITY = 'millrace.afterExecute';
export const SWEEP_ACTIVITY = 'millrace.sweepOutcomes';

/** Most calls of `afterExecute` for one run, the first one included. */
export const AFTER_EXECUTE_ATTEMPTS = 5;

/** A delivery. */
export interface WebhookDelivery {
  readonly url: string;
  readonly outcome: RunOutcome;
}

/** Who is told of a run's end, from its memo. Undefined when nobody is. */
export function receiversOf(
  memo: Readonly<Record<string, unknown>> | undefined,
): OutcomeReceivers | undefined {
  const webhookUrl = memo?.['webhookUrl'];
  const afterExecute = memo?.['afterExecute'] === true;
  if (typeof webhookUrl !== 'string') return afterExecute ? { afterExecute } : undefined;
  return { webhookUrl, afterExecute };
}

/** The id of the workflow that tells of a run's end. One for each run, so that a second start is refused. */
export function outcomeWorkflowId(workflowId: string): string {
  return `outcome/${workflowId}`;
}

/** The last part of a workflow id of ours; the whole id where it is none. */
export function executionIdOf(workflowId: string): string {
  return workflowId.slice(workflowId.lastIndexOf('/') + 1);
}

/** The id of a delivery, the same for each attempt: the run and its outcome. */
export function webhookId({ executionId, status }: RunOutcome): string {
  return `${executionId}.${status}`;
}

/** The body of a webhook, in the form of seed 000. */
export function webhookBody(outcome: RunOutcome): Readonly<Record<string, Json>> {
  const { failure } = outcome;
  return {
    execution_id: outcome.executionId,
    pipe_name: outcome.name,
    status: outcome.status,
    result: outcome.result ?? null,
    error: failure === undefined ? null : errorBody(failure),
    started_at: new Date(outcome.startedAt).toISOString(),
    completed_at: new Date(outcome.completedAt).toISOString(),
  };
}

function errorBody(failure: Failure): Json {
  const { type, message, stage, operation, details } = failure;
  return {
    type: apiErrorType(type),
    code: type,
    message,
    ...(stage !== undefined && { stage }),
    ...(operation !== undefined && { operation }),
    ...(details !== undefined && { details }),
  };
}
