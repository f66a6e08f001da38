import { proxyActivities } from '@temporalio/workflow';
import type { PerRecordActivities } from './per-record.js';

const { readIds, changeUser } = proxyActivities<PerRecordActivities>({ startToCloseTimeout: '1m' });

/** Activities that go on at once. */
const AT_ONCE = 100;

/** One activity reads which records there are, one for each changes it: what the SDK's documentation leads to. */
export async function drainUsers(): Promise<number> {
  const ids = await readIds();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) await changeUser(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return ids.length;
}
