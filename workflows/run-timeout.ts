import { CancellationScope, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import { TIMEOUT_SUMMARY } from '../src/definition/run-timeout.js';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import { applicationFailure } from './failure.js';

/**
 * When the run began, or the first one where it continued as new, in milliseconds since the epoch. The SDK's `startTime` is
 * each run's own; the time at which all of them expire stays what it was.
 */
export function chainStart(): number {
  const { startTime, executionExpirationTime, executionTimeoutMs } = workflowInfo();
  if (executionExpirationTime === undefined || executionTimeoutMs === undefined)
    return startTime.getTime();
  return executionExpirationTime.getTime() - executionTimeoutMs;
}

/**
 * Runs a hand-written workflow until its time is over: its scope is then cancelled, as it would be by a client. Code that
 * catches this may still clean up, and end the run in another way.
 *
 * @param timeoutMs - from the start of the run, or of the first one where it continued as new
 * @throws ApplicationFailure of type `timeout`, and what the workflow throws
 */
export async function withinTimeout<T>(timeoutMs: number, body: () => Promise<T>): Promise<T> {
  const leftMs = chainStart() + timeoutMs - Date.now();
  const scope = new CancellationScope();
  const clock = new CancellationScope();
  let late = false;
  const cancel = (): void => {
    late = true;
    scope.cancel();
  };
  if (leftMs > 0)
    clock.run(() => sleep(leftMs, { summary: TIMEOUT_SUMMARY })).then(cancel, () => undefined);
  // A run that continued as new may begin too late. A timer would be no hurry: it may fire with others of the run.
  else cancel();
  try {
    return await scope.run(body);
  } catch (error) {
    // `late` is set by the clock, while the body runs.
    if (!(late as boolean) || !isCancellation(error)) throw error;
    const message = `The workflow took longer than its timeout of ${String(timeoutMs)} ms.`;
    throw applicationFailure({ type: FAILURE_TYPES.timeout, message, retryable: false });
  } finally {
    clock.cancel();
  }
}
