const WAITED_ENOUGH = new Error('waited long enough');

/**
 * A result, or undefined when it was not there in time or a signal came first.
 *
 * @param waitMs - longest wait; as long as it takes unless given
 * @throws what it throws
 */
export async function resultWithin<T>(
  result: (wait: { readonly signal: AbortSignal }) => Promise<T>,
  waitMs: number | undefined,
  signals: readonly AbortSignal[],
): Promise<T | undefined> {
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
    return await result({ signal: enough.signal });
  } catch (error) {
    if (error === WAITED_ENOUGH) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', stopWaiting);
  }
}
