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
      const [result] = await Promise.allSettled([run(item, index)]);
      results[index] = result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
