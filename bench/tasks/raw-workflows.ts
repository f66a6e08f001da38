import { proxyActivities } from '@temporalio/workflow';
import type { rawTaskActivities } from './raw-activities.js';
import { BATCH, FAN } from './work.js';

const { step, split, load, gather } = proxyActivities<typeof rawTaskActivities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry: { maximumAttempts: 3 },
});

/** One step, two after it, and one after both. */
export async function rawDiamond(): Promise<unknown> {
  const first = await step({ name: 'first', after: [] });
  const both = await Promise.all([
    step({ name: 'left', after: [first] }),
    step({ name: 'right', after: [first] }),
  ]);
  return step({ name: 'last', after: both });
}

/** Many steps at once, and one after all of them. */
export async function rawFan(): Promise<unknown> {
  const all = await Promise.all(
    Array.from({ length: FAN }, (_, at) => step({ name: `s${String(at)}`, after: [] })),
  );
  return step({ name: 'last', after: all });
}

/** Ranges, workers on them, so many at once, and what they have come to. */
export async function rawBatch(): Promise<unknown> {
  const ranges = (await split()).entries();
  const sums: number[] = [];
  const worker = async (): Promise<void> => {
    for (const [at, range] of ranges) sums[at] = await load(range);
  };
  await Promise.all(Array.from({ length: BATCH.parallelism }, worker));
  return gather(sums);
}
