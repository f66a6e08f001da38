import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  isCancellation,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { TimeLimits } from '../src/pipeline/deadline.js';
import { FAILURE_TYPES, failureJson, isFailure, type Failure } from '../src/pipeline/failure.js';

/** Ends the run for good: the message, the type, and the whole failure as details. */
export function applicationFailure(failure: Failure, cause?: Error): ApplicationFailure {
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.type,
    nonRetryable: true,
    details: [failureJson(failure)],
    ...(cause !== undefined && { cause }),
  });
}

/**
 * What an activity's error says of its operation. Cancellation is not a failure: callers look for it first.
 *
 * @param limits - what the activity was given, to name the limit that a timeout hit
 */
export function failureOf(error: unknown, limits: TimeLimits): Failure {
  const cause = causeOf(error);
  if (cause instanceof TimeoutFailure) return timeoutFailure(cause.timeoutType, limits);
  return failureOfCause(cause);
}

/** What kept a pipeline from being planned. Not a `timeout` when that took too long: no limit of a run has passed. */
export function planningFailureOf(error: unknown, pipeline: string): Failure {
  const cause = causeOf(error);
  if (!(cause instanceof TimeoutFailure)) return failureOfCause(cause);
  return {
    type: FAILURE_TYPES.planningTimeout,
    message: `No worker planned pipeline "${pipeline}" and checked its input in time, in any attempt.`,
    retryable: true,
  };
}

/** What an activity has failed of; anything else as it is. */
export function causeOf(error: unknown): unknown {
  return error instanceof ActivityFailure ? error.cause : error;
}

function failureOfCause(cause: unknown): Failure {
  if (cause instanceof ApplicationFailure) {
    const [details] = cause.details ?? [];
    // Our activities put the whole failure there; a hand-written one may not.
    if (isFailure(details)) return details;
    return {
      type: cause.type ?? 'Error',
      message: cause.message,
      retryable: cause.nonRetryable !== true,
    };
  }
  return {
    type: 'Error',
    message: cause instanceof Error ? cause.message : String(cause),
    retryable: false,
  };
}

/** What the error that a run has ended with says of it: the run's own failure, or what kept it from telling one. */
export function runFailureOf(error: unknown): Failure {
  if (error instanceof ApplicationFailure) {
    const [details] = error.details ?? [];
    if (isFailure(details)) return details;
    return { type: error.type ?? 'Error', message: error.message, retryable: false };
  }
  if (error instanceof CancelledFailure)
    return { type: 'cancelled', message: 'The run was cancelled.', retryable: false };
  if (error instanceof TerminatedFailure)
    return { type: 'terminated', message: 'The run was terminated.', retryable: false };
  if (error instanceof TimeoutFailure) {
    const message = 'The run took longer than its timeout.';
    return { type: FAILURE_TYPES.timeout, message, retryable: false };
  }
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { type: name, message, retryable: false };
}

/** What a run ends with when an activity has failed for good; a cancellation stays one. */
export function runError(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) return error;
  return applicationFailure(runFailureOf(causeOf(error)), error);
}

function timeoutFailure(type: TimeoutFailure['timeoutType'], limits: TimeLimits): Failure {
  if (type === 'HEARTBEAT') {
    return {
      type: 'WorkerLost',
      message: 'The worker that ran it stopped answering, in every attempt.',
      retryable: true,
    };
  }
  const ownLimit = limits.attemptMs < limits.totalMs && type === 'START_TO_CLOSE';
  const message = ownLimit
    ? `It took longer than its timeout of ${String(limits.attemptMs)} ms, in every attempt.`
    : `The ${limits.totalOwner} ran out of time.`;
  return { type: FAILURE_TYPES.timeout, message, retryable: ownLimit };
}
