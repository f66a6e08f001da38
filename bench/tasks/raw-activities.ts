import { BATCH, step, sum } from './work.js';

/** A range of the batch. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The activities of the workflows that are written by hand. */
export const rawTaskActivities = {
  step: async (input: { readonly name: string; readonly after: readonly unknown[] }) =>
    step(input.name),
  split: async (): Promise<readonly Range[]> =>
    Array.from({ length: BATCH.items / BATCH.size }, (_, at) => ({
      start: at * BATCH.size,
      end: (at + 1) * BATCH.size,
    })),
  load: async ({ start, end }: Range) => sum(start, end),
  gather: async (sums: readonly number[]) => sums.reduce((all, one) => all + one, 0),
};
