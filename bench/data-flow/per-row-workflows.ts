import { proxyActivities } from '@temporalio/workflow';
import type { PerRowActivities } from './per-row.js';

const { readOrders, writeOrder } = proxyActivities<PerRowActivities>({ startToCloseTimeout: '1m' });

/** Activities that go on at once. */
const AT_ONCE = 100;

/** One activity reads, one for each row writes: what the SDK's documentation leads to. */
export async function importOrders(file: string): Promise<number> {
  const rows = await readOrders(file);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let row = rows[next++]; row !== undefined; row = rows[next++]) await writeOrder(row);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return rows.length;
}
