/** Hand-written code with the plain SDK: an activity for each row. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import Database from 'better-sqlite3';
import { parse } from 'csv-parse/sync';
import { ORDERS_SQL, orderOf, type OrderText } from './orders.js';
import { answerParent } from '../measured-process.js';
import type { VariantResult, VariantTask } from './variant.js';

/** The activities of the comparison. */
export interface PerRowActivities {
  readonly readOrders: (file: string) => Promise<readonly OrderText[]>;
  readonly writeOrder: (row: OrderText) => Promise<void>;
}

await answerParent(async ({ file, dir, address }: VariantTask): Promise<VariantResult> => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const database = new Database(join(dir, 'per-row.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(ORDERS_SQL.create);
  const upsert = database.prepare(ORDERS_SQL.upsert);
  const activities: PerRowActivities = {
    readOrders: async (path) => parse(await readFile(path), { columns: true }),
    writeOrder: async (row) => {
      const { id, customer, quantity, total, ordered_at } = orderOf(row);
      upsert.run(id, customer, quantity, total, ordered_at);
    },
  };
  const connection = await NativeConnection.connect({ address });
  const taskQueue = randomUUID();
  const workflowsPath = fileURLToPath(new URL('per-row-workflows.js', import.meta.url));
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath,
    activities: { ...activities },
  });
  const running = worker.run();
  const client = new Client({ connection });
  const startedAt = performance.now();
  // The count of rows is what the workflow returns.
  const rows = (await client.workflow.execute('importOrders', {
    workflowId: taskQueue,
    taskQueue,
    args: [file],
  })) as number;
  const ms = performance.now() - startedAt;
  worker.shutdown();
  await running;
  await connection.close();
  database.close();
  return { rows, ms };
});
