import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { hasMoved } from '../src/data-flow/progress.js';
import type { AttemptDetails, EndTask } from '../src/data-flow/run.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import { applicationFailure, runFailureOf } from './failure.js';

/** The type of the failure that an activity ended with. */
export function typeOf(error: unknown): string {
  if (!(error instanceof ActivityFailure)) return '';
  const { cause } = error;
  if (cause instanceof TimeoutFailure)
    return cause.timeoutType === 'HEARTBEAT' ? FAILURE_TYPES.workerLost : FAILURE_TYPES.timeout;
  return cause instanceof ApplicationFailure ? (cause.type ?? '') : '';
}

/** What the run has ended with, as an error that says it by itself. */
export function runError(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) return error;
  return applicationFailure(failureOf(error), error);
}

/** What an activity of a flow has ended with. */
export function failureOf(error: unknown): Failure {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure) {
    return typeOf(error) === FAILURE_TYPES.workerLost
      ? {
          type: FAILURE_TYPES.workerLost,
          message: 'The workers that moved it stopped answering, time after time.',
          retryable: true,
        }
      : {
          type: 'BatchTimeout',
          message: 'A batch took longer than its timeout (batchTimeout), in every attempt.',
          retryable: false,
        };
  }
  return runFailureOf(cause);
}

/** How the run is to be closed in the catalog. */
export function endingOf(error: unknown): Omit<EndTask, 'flow' | 'runSeq'> {
  if (isCancellation(error)) return { status: 'cancelled', errorMessage: 'The run was cancelled.' };
  const { message } = failureOf(error);
  const backtrace = stackOf(error);
  return {
    status: 'failed',
    errorMessage: message,
    ...(backtrace !== undefined && { errorBacktrace: backtrace }),
  };
}

/** Where it was thrown in the code of the flow: the innermost cause that has a stack. */
function stackOf(error: unknown): string | undefined {
  let found: string | undefined;
  for (let cause = causeOf(error); cause instanceof Error; cause = cause.cause)
    found = cause.stack !== undefined && cause.stack !== '' ? cause.stack : found;
  return found;
}

/** Whether another attempt may help. */
export function isRetryable(error: unknown): boolean {
  const cause = causeOf(error);
  if (cause instanceof ApplicationFailure) return cause.nonRetryable !== true;
  return cause instanceof TimeoutFailure;
}

/** What an attempt has told beside its failure; with its last heartbeat, where it was given up. */
export function detailsOf(error: unknown): AttemptDetails {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure)
    return { moved: hasMoved(cause.lastHeartbeatDetails) ? 1 : 0 };
  const [, told] = cause instanceof ApplicationFailure ? (cause.details ?? []) : [];
  return typeof told === 'object' && told !== null && 'moved' in told
    ? // Only our own activities put a second one there.
      (told as AttemptDetails)
    : { moved: 0 };
}

function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure ? error.cause : error;
}
