/** BullMQ: a job for each record, whose worker makes the same change of the same table. */
import { Queue, Worker } from 'bullmq';
import { answerParent } from '../measured-process.js';
import { openUsers, statementsOf } from './hand-written.js';
import type { RecordResult, RecordTask } from './task.js';
import { STEP_COLUMNS } from './users.js';

/** A job's data. */
interface UserJob {
  readonly id: number;
}

await answerParent(
  async ({ dir, redis, records, concurrency }: RecordTask): Promise<RecordResult> => {
    const database = openUsers(dir);
    const { ids, change } = statementsOf(database, STEP_COLUMNS[0]);
    const connection = { path: redis, maxRetriesPerRequest: null };
    // The folder's name is its own.
    const name = `users-${dir.replaceAll(/[^A-Za-z0-9-]/g, '-')}`;
    const queue = new Queue<UserJob, void, 'change'>(name, {
      connection,
      defaultJobOptions: { removeOnComplete: true },
    });
    let bodies = 0;
    let allDone = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      allDone = resolve;
    });
    const worker = new Worker<UserJob>(
      name,
      ({ data }) => {
        change(data.id);
        return Promise.resolve();
      },
      { connection, ...(concurrency !== undefined && { concurrency }) },
    );
    worker.on('completed', () => {
      bodies += 1;
      if (bodies === records) allDone();
    });
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
    const startedAt = performance.now();
    for (let batch = ids(0); batch.length > 0; batch = ids(batch.at(-1) ?? 0))
      await queue.addBulk(batch.map((id) => ({ name: 'change', data: { id } })));
    await done;
    const ms = performance.now() - startedAt;
    await worker.close();
    await queue.close();
    database.close();
    return { bodies, ms };
  },
);
