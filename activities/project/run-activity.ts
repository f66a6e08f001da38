import { CompleteAsyncError, Context } from '@temporalio/activity';
import type { ActivityContext } from '../../src/pipeline/context.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import { isPermanent } from '../../src/pipeline/permanent.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf, isCancelled } from '../failure.js';
import { heartbeatOf } from '../heartbeat.js';
import { runReference } from '../run-reference.js';
import { contextStorage } from './context-storage.js';

/**
 * Runs an activity of the project. What it throws is left to Temporal and its retry policy, but for errors of
 * `permanent()`, which are not retried.
 *
 * @throws ApplicationFailure `ActivityNotRegistered` when this worker's code lacks the activity: Temporal asks again, by its
 *   retry policy, which has no end unless the workflow gives it one
 */
export async function runActivity(
  deps: ActivityDependencies,
  name: string,
  args: readonly unknown[],
): Promise<unknown> {
  const activity = Context.current();
  const code = deps.code.activity(name);
  if (code === undefined) {
    const run = runReference(activity.info, undefined);
    deps.log.warn(
      { run: run.id, pipe: run.name, activity: name, attempt: activity.info.attempt },
      'this worker lacks an activity that a run needs; it is tried again as its retry policy says',
    );
    throw activityNotRegistered(name);
  }
  const context = contextOf(deps, name, activity);
  const startedAt = Date.now();
  try {
    const result = await contextStorage().run(context, async () => code.run(...args));
    context.log.debug({ durationMs: Date.now() - startedAt }, 'activity completed');
    return result;
  } catch (error) {
    if (isCancelled(error, activity.cancellationSignal) || error instanceof CompleteAsyncError)
      throw error;
    context.log.warn({ err: error, type: failureOf(error).type }, 'activity failed');
    throw isPermanent(error) ? applicationFailure(failureOf(error), error) : error;
  }
}

function activityNotRegistered(name: string): Error {
  return applicationFailure({
    type: FAILURE_TYPES.activityNotRegistered,
    message: `This worker's code has no activity "${name}". Export a function of that name from a file in activities/.`,
    retryable: true,
  });
}

function contextOf(deps: ActivityDependencies, name: string, activity: Context): ActivityContext {
  const run = runReference(activity.info, undefined);
  const { attempt, isLocal } = activity.info;
  const heartbeat = heartbeatOf(activity);
  return {
    signal: activity.cancellationSignal,
    log: deps.log.child({ run: run.id, pipe: run.name, activity: name, attempt }),
    // A local activity has no heartbeat.
    heartbeat: isLocal ? () => undefined : heartbeat.beat,
    checkpoint: heartbeat.checkpoint(),
    attempt,
    run,
    services: deps.services,
  };
}
