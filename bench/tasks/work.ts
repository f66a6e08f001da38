/** What the steps of all cells do: the least that a step can. */

/** Items of the batch, and of one of its ranges. */
export const BATCH = { items: 10_000, size: 100, parallelism: 10 } as const;

/** Steps that run at once. */
export const FAN = 100;

/** What one step of a graph returns. */
export function step(name: string): { readonly from: string } {
  return { from: name };
}

/** What a worker of a batch returns. */
export function sum(start: number, end: number): number {
  let total = 0;
  for (let item = start; item < end; item += 1) total += item;
  return total;
}
