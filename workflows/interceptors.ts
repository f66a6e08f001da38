import {
  ApplicationFailure,
  CancellationScope,
  ContinueAsNew,
  isCancellation,
  log,
  ParentClosePolicy,
  patched,
  startChild,
  TemporalFailure,
  workflowInfo,
  WorkflowIdReusePolicy,
  type Next,
  type WorkflowExecuteInput,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
} from '@temporalio/workflow';
import type { Json } from '../src/definition/json.js';
import { OWN_WORKFLOW_TYPES } from '../src/definition/name.js';
import {
  executionIdOf,
  outcomeWorkflowId,
  receiversOf,
  TIMED_OUT_TAG,
  type OutcomeReceivers,
  type RunOutcome,
} from '../src/outcome/outcome.js';
import { FAILURE_TYPES, isFailure, type Failure } from '../src/pipeline/failure.js';
import { timeoutOf } from '../src/definition/run-timeout.js';
import { tellProcess } from './events.js';
import { deliverOutcome } from './outcome.js';
import { chainStart, withinTimeout } from './run-timeout.js';

/** What surrounds every workflow, hand-written ones too. */
export function interceptors(): WorkflowInterceptors {
  return { inbound: [new OutcomeInterceptor()], outbound: [] };
}

/** Has a run's start and end told, and the receivers of its outcome. */
class OutcomeInterceptor implements WorkflowInboundCallsInterceptor {
  async execute(
    input: WorkflowExecuteInput,
    next: Next<WorkflowInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const { workflowType, continuedFromExecutionRunId } = workflowInfo();
    // Nobody is told of the end of our own workflows.
    if (OWN_WORKFLOW_TYPES.includes(workflowType)) return next(input);
    tellProcess.run({ what: 'started', continues: continuedFromExecutionRunId !== undefined });
    try {
      const timeoutMs = timeoutOf(workflowInfo().memo);
      const result = await (timeoutMs === undefined
        ? next(input)
        : withinTimeout(timeoutMs, () => next(input)));
      const outcome = outcomeOf({ status: 'completed', result: result as Json });
      tellProcess.run({ what: 'ended', status: 'completed', durationMs: elapsedMs() });
      const receivers = receiversOf(workflowInfo().memo);
      if (receivers !== undefined) await tell(outcome, receivers);
      return result;
    } catch (error) {
      // The run goes on in the next one of its chain.
      if (error instanceof ContinueAsNew) throw error;
      const ended = endOf(error);
      if (ended !== undefined) {
        tellProcess.run({ what: 'ended', ...ended, durationMs: elapsedMs() });
        if (ended.status === 'timed_out') patched(TIMED_OUT_TAG);
        const receivers = receiversOf(workflowInfo().memo);
        if (receivers !== undefined) await tell(outcomeOf(ended), receivers);
      }
      throw error;
    }
  }
}

/** A workflow's own clock stands still while quick operations run. Only the log, and events, get to see the worker's. */
function elapsedMs(): number {
  const { unsafe } = workflowInfo();
  return Math.max(0, unsafe.now() - chainStart());
}

type End = { readonly status: 'failed' | 'cancelled' | 'timed_out'; readonly failure: Failure };

/** How an error ends the run; undefined for one that only fails the workflow task, which is tried again. */
function endOf(error: unknown): End | undefined {
  if (isCancellation(error) && CancellationScope.current().consideredCancelled) {
    return {
      status: 'cancelled',
      failure: { type: 'cancelled', message: 'The run was cancelled.', retryable: false },
    };
  }
  // Errors of Temporal's own kind end a workflow; others are bugs, for which its task is tried again.
  if (!(error instanceof TemporalFailure)) return undefined;
  const failure = failureOf(error);
  return { status: failure.type === FAILURE_TYPES.timeout ? 'timed_out' : 'failed', failure };
}

function outcomeOf(end: Pick<RunOutcome, 'status' | 'result' | 'failure'>): RunOutcome {
  const { workflowId, runId, workflowType, startTime, memo } = workflowInfo();
  const principal = memo?.['principal'];
  return {
    workflowId,
    runId,
    executionId: executionIdOf(workflowId),
    name: workflowType,
    ...(typeof principal === 'string' && { principal }),
    ...end,
    startedAt: startTime.getTime(),
    completedAt: Date.now(),
  };
}

/** Also when the run was cancelled: its own scope would refuse to start anything. */
async function tell(outcome: RunOutcome, receivers: OutcomeReceivers): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => startDelivery(outcome, receivers));
  } catch (error) {
    // What becomes of the news changes nothing in the run that it is about.
    log.error('the end of the run could not be told', { error: String(error) });
  }
}

/** Waits for the delivery's start only, so that the run stays the root, and ends when its work does. */
async function startDelivery(outcome: RunOutcome, receivers: OutcomeReceivers): Promise<void> {
  await startChild(deliverOutcome, {
    args: [outcome, receivers],
    workflowId: outcomeWorkflowId(outcome.workflowId),
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `${outcome.name} ${outcome.status}`,
  });
}

function failureOf(error: Error): Failure {
  const [details] = error instanceof ApplicationFailure ? (error.details ?? []) : [];
  if (isFailure(details)) return details;
  if (error instanceof ApplicationFailure)
    return { type: error.type ?? 'Error', message: error.message, retryable: false };
  const { cause } = error;
  return cause instanceof Error
    ? failureOf(cause)
    : { type: error.name, message: error.message, retryable: false };
}
