import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { AttemptDetails, MoveTask } from '../../src/data-flow/run.js';
import { FAILURE_TYPES, failureJson } from '../../src/pipeline/failure.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ActivityDependencies } from '../dependencies.js';
import { failureOf, isCancelled, retryAfterMs } from '../failure.js';

/** What an attempt knows when it fails. */
export interface FailedAttempt {
  readonly task: MoveTask;
  readonly activity: Context;
  /** Batches that it has moved: the attempts of the next one are counted from the first again. */
  readonly moved: number;
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string;
}

/** What an attempt has ended with, as the workflow understands it. */
export function flowFailure(
  deps: ActivityDependencies,
  { task, activity, moved, hide }: FailedAttempt,
  error: unknown,
): unknown {
  if (isCancelled(error, activity.cancellationSignal)) {
    if (activity.cancellationDetails?.workerShutdown !== true) return error;
    return ApplicationFailure.create({
      type: FAILURE_TYPES.workerShutdown,
      message: 'The worker stopped; the flow goes on elsewhere.',
      nonRetryable: true,
    });
  }
  const { flow, runSeq, attempt = 1 } = task;
  const thrown = failureOf(error);
  const failure = { ...thrown, message: hide(thrown.message) };
  const cause = withoutSecrets(error, hide);
  deps.log.warn(
    { err: cause, flow, run_seq: runSeq, attempt, type: failure.type },
    'data flow attempt failed',
  );
  const waitMs = retryAfterMs(error);
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.type,
    nonRetryable: !failure.retryable,
    details: [
      failureJson(failure),
      { moved, ...(waitMs !== undefined && { waitMs }) } satisfies AttemptDetails,
    ],
    cause,
  });
}

/** A flow that moved rows now has a body of its own, or the other way round. */
export function changedKind(flow: string): Error {
  const message = `The deployed code of "${flow}" is of another kind than the run began with. Start another run.`;
  return permanent(message, undefined, FAILURE_TYPES.contractChanged);
}

/** What was thrown, as it may be logged and kept with the run. Its own causes and properties are left out. */
function withoutSecrets(error: unknown, hide: (text: string) => string): Error {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const told = new Error(hide(message));
  told.name = name;
  told.stack = hide(stack ?? '');
  return told;
}
