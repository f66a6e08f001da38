/**
 * Runs a function for each item, at most `limit` at once, and waits for all of them: none is abandoned because another
 * failed. Results and errors come in the items' order.
 */
export async function settleAll<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T, index: number) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  const pending = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of pending) {
      try {
        results[index] = { status: 'fulfilled', value: await run(item, index) };
      } catch (reason) {
        results[index] = { status: 'rejected', reason };
      }
    }
  };
  const workers = Math.min(limit, items.length);
  if (workers === 1) await worker();
  else await Promise.all(Array.from({ length: workers }, worker));
  return results;
}
