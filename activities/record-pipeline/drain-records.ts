import { ApplicationFailure, Context } from '@temporalio/activity';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { DrainOutcome, DrainTask } from '../../src/record-pipeline/plan.js';
import { recordProgress } from '../../src/record-pipeline/progress.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf, isCancelled } from '../failure.js';
import { startHeartbeat } from '../heartbeat.js';
import { recordCode, storeFailure } from './record-code.js';
import { runContext } from './run-context.js';
import { StoreDrain } from './store-drain.js';

/** How far it is is told at most so often. */
const BEAT_MS = 200;

/** Drains the records of a run for a while. What was written stays, whatever comes after it. */
export async function drainRecords(
  deps: ActivityDependencies,
  { pipeline: name, run, place, retryFailed = false }: DrainTask,
): Promise<DrainOutcome> {
  const activity = Context.current();
  const { cancellationSignal: signal } = activity;
  const heartbeat = startHeartbeat(activity);
  let beatAt = 0;
  try {
    const { pipeline, store } = recordCode(deps, name);
    const { signal: _, ...context } = runContext(deps, activity, pipeline);
    const drain = new StoreDrain(
      {
        store,
        pipeline,
        run,
        retryFailed,
        signal,
        log: context.log,
        context,
        onProgress: (outcome) => {
          // Groups are written much more often than anybody looks.
          if (performance.now() - beatAt < BEAT_MS) return;
          beatAt = performance.now();
          heartbeat.beat(recordProgress(outcome()));
        },
      },
      place,
    );
    const outcome = await drain.run();
    // A run that was cancelled must not look as if it had come to an end by itself.
    if (!outcome.done) signal.throwIfAborted();
    return outcome;
  } catch (error) {
    throw drainFailure(error, activity);
  } finally {
    heartbeat.stop();
  }
}

function drainFailure(error: unknown, activity: Context): unknown {
  if (!isCancelled(error, activity.cancellationSignal))
    return applicationFailure(failureOf(storeFailure(error)), error);
  if (activity.cancellationDetails?.workerShutdown !== true) return error;
  return ApplicationFailure.create({
    type: FAILURE_TYPES.workerShutdown,
    message: 'The worker stopped; the run goes on when one is there again.',
    nonRetryable: true,
  });
}
