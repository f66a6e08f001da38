/** Hand-written code with the plain SDK: an activity for each record. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { answerParent } from '../measured-process.js';
import { openUsers, statementsOf } from './hand-written.js';
import type { RecordResult, RecordTask } from './task.js';
import { STEP_COLUMNS } from './users.js';

/** The activities of the comparison. */
export interface PerRecordActivities {
  readonly readIds: () => Promise<readonly number[]>;
  readonly changeUser: (id: number) => Promise<void>;
}

await answerParent(async ({ dir, address }: RecordTask): Promise<RecordResult> => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const database = openUsers(dir);
  const { ids, change } = statementsOf(database, STEP_COLUMNS[0]);
  const activities: PerRecordActivities = {
    readIds: () => {
      const all: number[] = [];
      for (let batch = ids(0); batch.length > 0; batch = ids(batch.at(-1) ?? 0)) all.push(...batch);
      return Promise.resolve(all);
    },
    changeUser: (id) => {
      change(id);
      return Promise.resolve();
    },
  };
  const connection = await NativeConnection.connect({ address });
  const taskQueue = randomUUID();
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('per-record-workflows.js', import.meta.url)),
    activities: { ...activities },
  });
  const running = worker.run();
  const client = new Client({ connection });
  const startedAt = performance.now();
  // The count of records is what the workflow returns.
  const bodies = (await client.workflow.execute('drainUsers', {
    workflowId: taskQueue,
    taskQueue,
  })) as number;
  const ms = performance.now() - startedAt;
  worker.shutdown();
  await running;
  await connection.close();
  database.close();
  return { bodies, ms };
});
