import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { Json } from '../src/definition/json.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import type { HandedBack } from '../src/pipeline/operation-task.js';
import type { Heartbeat } from './heartbeat.js';

/** The number of an attempt, counted over all activities that an operation, or a step, has had. */
export function attemptOf(activity: Context, handedBack: HandedBack | undefined): number {
  return (handedBack?.attempts ?? 0) + activity.info.attempt;
}

/**
 * What a worker that stops hands back to the workflow; undefined when the attempt was cancelled for another reason.
 *
 * @param noun - what is handed back: `operation`, `step`
 */
export function stoppedFailure(
  activity: Context,
  noun: string,
  attempt: number,
  heartbeat: Heartbeat,
): ApplicationFailure | undefined {
  if (activity.cancellationDetails?.workerShutdown !== true) return undefined;
  return handedBackFailure(
    {
      type: FAILURE_TYPES.workerShutdown,
      message: `The worker stopped; the ${noun} goes on elsewhere.`,
    },
    { attempt, checkpoint: heartbeat.checkpoint() },
  );
}

/** Gives an attempt back to the workflow. Temporal's own retries would count it: the workflow schedules it again. */
export function handedBackFailure(
  why: Pick<Failure, 'type' | 'message'>,
  { attempt, checkpoint }: { readonly attempt: number; readonly checkpoint: Json | undefined },
): ApplicationFailure {
  const handedBack: HandedBack = {
    attempts: attempt - 1,
    ...(checkpoint !== undefined && { checkpoint }),
  };
  return ApplicationFailure.create({ ...why, nonRetryable: true, details: [handedBack] });
}
