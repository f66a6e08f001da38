import { statSync } from 'node:fs';
import { storeCounts } from '../../adapters/record-store/reading/store-counts.js';
import { activeRun } from '../../adapters/record-store/run/run-pages.js';
import type { StoreStatus } from '../../src/record-pipeline/store-question.js';
import type { Asked } from './answer-question.js';

/** What is in a store now. */
export async function statusOf({ store, signal }: Asked): Promise<StoreStatus> {
  // Opened first: it is made where it is missing.
  const { live, models, file, dir } = store;
  const counts = await storeCounts(file, models, signal);
  return {
    dir,
    bytes: statSync(file).size,
    counts,
    versions: store.files.list().length,
    activeRun: activeRun(live.db) ?? null,
  };
}
