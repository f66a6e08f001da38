import type { Run } from '../engine/run.js';
import type { Json } from '../src/definition/json.js';

const WAITED_ENOUGH = new Error('waited long enough');

/**
 * The result of a run, or undefined when it was not there in time or a signal came first.
 *
 * @param waitMs - longest wait; as long as it takes unless given
 * @throws what {@link Run.result} throws
 */
export async function resultWithin(
  run: Run,
  waitMs: number | undefined,
  signals: readonly AbortSignal[],
): Promise<Json | undefined> {
  if (waitMs === 0) return undefined;
  // AbortSignal.any would stay registered with a signal that lives as long as the process.
  const enough = new AbortController();
  const stopWaiting = (): void => {
    enough.abort(WAITED_ENOUGH);
  };
  const timer = waitMs === undefined ? undefined : setTimeout(stopWaiting, waitMs);
  for (const signal of signals) signal.addEventListener('abort', stopWaiting, { once: true });
  if (signals.some(({ aborted }) => aborted)) stopWaiting();
  try {
    return await run.result({ signal: enough.signal });
  } catch (error) {
    if (error === WAITED_ENOUGH) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', stopWaiting);
  }
}
