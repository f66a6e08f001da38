import type { WorkflowExecutionDescription } from '@temporalio/client';
import type { Json } from '../src/definition/json.js';
import type { TimeoutMemo } from '../src/definition/run-timeout.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import type { RunProgress } from '../src/progress/progress.js';
import type { ExecutionStatus } from '../src/progress/status.js';
import type { DEAD_LETTER_UNTOLD_MEMO } from '../src/task/dead-letter.js';

/** A run's state, as the API tells it. */
export interface Execution {
  /** The workflow id. */
  readonly id: string;
  readonly executionId: string;
  /** Temporal's own id of this execution of the workflow id. */
  readonly temporalRunId: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startedAt: Date;
  readonly completedAt?: Date;
  readonly result?: Json;
  readonly failure?: Failure;
  /** Who started it, where the server authenticates. */
  readonly principal?: string;
  readonly progress?: RunProgress;
}

/** What Temporal's memo of a run of ours holds. */
export interface RunMemo extends TimeoutMemo {
  readonly principal?: string;
  /** Of the request, for runs with an idempotency key. */
  readonly fingerprint?: string;
  readonly webhookUrl?: string;
  /** The project has a hook that is called when the run ends. */
  readonly afterExecute?: boolean;
  /** Of a task that limits set aside: its reason, where Temporal has to end it. */
  readonly [DEAD_LETTER_UNTOLD_MEMO]?: string;
}

/** Puts Temporal's description and the fold together. */
export function executionOf(
  executionId: string,
  description: WorkflowExecutionDescription,
  progress: RunProgress | undefined,
): Execution {
  const { principal } = memoOf(description.memo);
  const status = progress?.status ?? statusOf(description.status.name);
  // The history was read after the description: the run may have ended in between.
  const completedAt =
    description.closeTime ??
    (progress?.closedAt === undefined ? undefined : new Date(progress.closedAt));
  return {
    id: description.workflowId,
    executionId,
    temporalRunId: description.runId,
    name: description.type,
    status,
    startedAt: description.startTime,
    ...(completedAt !== undefined && { completedAt }),
    ...(progress?.result !== undefined && { result: progress.result }),
    ...(progress?.failure !== undefined && { failure: progress.failure }),
    ...(principal !== undefined && { principal }),
    ...(progress !== undefined && { progress }),
  };
}

/** Our fields of a memo; those of other types are left out. */
export function memoOf(memo: Readonly<Record<string, unknown>> | undefined): RunMemo {
  const text = (name: 'principal' | 'fingerprint' | 'webhookUrl'): Partial<RunMemo> =>
    typeof memo?.[name] === 'string' ? { [name]: memo[name] } : {};
  return { ...text('principal'), ...text('fingerprint'), ...text('webhookUrl') };
}

/** The status that Temporal's own says, as far as it does: a pipeline's own timeout is a failure to Temporal. */
export function statusOf(temporalStatus: string, failure?: Failure): ExecutionStatus {
  switch (temporalStatus) {
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
      return failure?.type === FAILURE_TYPES.timeout ? 'timed_out' : 'failed';
    case 'CANCELLED':
      return 'cancelled';
    case 'TERMINATED':
      return 'terminated';
    case 'TIMED_OUT':
      return 'timed_out';
    default:
      return 'running';
  }
}

/** A run that continues as new is a chain of runs with one workflow id. Its story begins with the first of them. */
export function firstRunId({ raw, runId }: WorkflowExecutionDescription): string {
  return raw.workflowExecutionInfo?.firstRunId || runId;
}
