import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { TimeLimits } from '../src/pipeline/deadline.js';
import { FAILURE_TYPES, failureJson, isFailure, type Failure } from '../src/pipeline/failure.js';

/** Ends the run for good: the message, the type, and the whole failure as details. */
export function applicationFailure(failure: Failure): ApplicationFailure {
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.type,
    nonRetryable: true,
    details: [failureJson(failure)],
  });
}

/**
 * What an activity's error says of its operation. Cancellation is not a failure: callers look for it first.
 *
 * @param limits - what the activity was given, to name the limit that a timeout hit
 */
export function failureOf(error: unknown, limits: TimeLimits): Failure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return timeoutFailure(cause.timeoutType, limits);
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
