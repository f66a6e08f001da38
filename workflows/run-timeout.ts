import { CancellationScope, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import { applicationFailure } from './failure.js';

/**
 * Runs a hand-written workflow until its time is over: its scope is then cancelled, as it would be by a client. Code that
 * catches this may still clean up, and end the run in another way.
 *
 * @param timeoutMs - from the start of the run, or of the first one where it continued as new
 * @throws ApplicationFailure of type `timeout`, and what the workflow throws
 */
export async function withinTimeout<T>(timeoutMs: number, body: () => Promise<T>): Promise<T> {
  const deadline = workflowInfo().startTime.getTime() + timeoutMs;
  const scope = new CancellationScope();
  const clock = new CancellationScope();
  let late = false;
  const wait = (): Promise<void> =>
    sleep(Math.max(1, deadline - Date.now()), { summary: 'timeout' });
  clock.run(wait).then(
    () => {
      late = true;
      scope.cancel();
    },
    () => undefined,
  );
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
