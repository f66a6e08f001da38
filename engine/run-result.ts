import type { WorkflowFailedError } from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/client';
import { FAILURE_TYPES, isFailure, type Failure } from '../src/pipeline/failure.js';
import { RunFailed } from './errors.js';

/** What a run that ended without a result says, from the error that Temporal's client throws. */
export function runFailed(runId: string, error: WorkflowFailedError): RunFailed {
  const { cause } = error;
  if (cause instanceof CancelledFailure)
    return new RunFailed(runId, 'cancelled', ended('cancelled', 'The run was cancelled.'));
  if (cause instanceof TerminatedFailure) {
    return new RunFailed(
      runId,
      'terminated',
      ended('terminated', `The run was terminated: ${cause.message}`),
    );
  }
  if (cause instanceof TimeoutFailure) {
    return new RunFailed(
      runId,
      'timed_out',
      ended(FAILURE_TYPES.timeout, 'The run took longer than its timeout.'),
    );
  }
  const failure = failureOf(cause);
  return new RunFailed(
    runId,
    failure.type === FAILURE_TYPES.timeout ? 'timed_out' : 'failed',
    failure,
  );
}

/** The failure that a workflow error carries: our own in its details, or what a hand-written workflow threw. */
export function failureOf(cause: unknown): Failure {
  if (cause instanceof ApplicationFailure) {
    const [details] = cause.details ?? [];
    if (isFailure(details)) return details;
    return ended(cause.type ?? 'Error', cause.message);
  }
  const inner = cause instanceof Error ? cause.cause : undefined;
  if (inner !== undefined) return failureOf(inner);
  return ended('Error', cause instanceof Error ? cause.message : String(cause));
}

function ended(type: string, message: string): Failure {
  return { type, message, retryable: false };
}
