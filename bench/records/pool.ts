/** Hand-written code whose bodies wait: a promise pool, and changes written in batches as in `bare`. */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { answerParent } from '../measured-process.js';
import { BATCH, openUsers, statementsOf } from './hand-written.js';
import type { RecordResult, RecordTask } from './task.js';
import { STEP_COLUMNS } from './users.js';

await answerParent(
  async ({ dir, steps, concurrency, waitMs }: RecordTask): Promise<RecordResult> => {
    const database = openUsers(dir);
    const startedAt = performance.now();
    let bodies = 0;
    for (const column of STEP_COLUMNS.slice(0, steps)) {
      const { ids, change } = statementsOf(database, column);
      const write = database.transaction((batch: readonly number[]) => {
        for (const id of batch) change(id);
      });
      let ended: number[] = [];
      const flush = (): void => {
        write.immediate(ended);
        bodies += ended.length;
        ended = [];
      };
      const pool = pLimit(concurrency ?? 1);
      const working: Promise<void>[] = [];
      for (let batch = ids(0); batch.length > 0; batch = ids(batch.at(-1) ?? 0))
        for (const id of batch)
          working.push(
            pool(async () => {
              await sleep(waitMs);
              ended.push(id);
              if (ended.length >= BATCH) flush();
            }),
          );
      await Promise.all(working);
      flush();
    }
    const ms = performance.now() - startedAt;
    database.close();
    return { bodies, ms };
  },
);
