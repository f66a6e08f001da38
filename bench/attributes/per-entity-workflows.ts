import { proxyActivities } from '@temporalio/workflow';
import type { PerEntityActivities } from './per-entity.js';

const { readIds, computeOne } = proxyActivities<PerEntityActivities>({
  startToCloseTimeout: '1m',
});

/** Activities that go on at once. */
const AT_ONCE = 100;

/** One activity reads which entities there are, one for each computes its value: what the SDK's documentation leads to. */
export async function computeAreas(): Promise<number> {
  const ids = await readIds();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) await computeOne(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return ids.length;
}
