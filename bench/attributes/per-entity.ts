/** Hand-written code with the plain SDK: an activity for each entity. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import pLimit from 'p-limit';
import { quickjsSandbox } from '../../adapters/sandbox/quickjs-sandbox.js';
import { answerParent } from '../measured-process.js';
import { claimedRun, computation } from './hand-written.js';
import type { AttributeResult, AttributeTask } from './task.js';

/** The activities of the comparison. */
export interface PerEntityActivities {
  readonly readIds: () => Promise<readonly string[]>;
  readonly computeOne: (id: string) => Promise<void>;
}

await answerParent(async ({ dir, entities, address }: AttributeTask): Promise<AttributeResult> => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { catalog, run, ids } = await claimedRun(dir, entities);
  const sandbox = quickjsSandbox();
  const compute = computation(catalog, sandbox);
  const { attributeRuns: runs } = catalog;
  // The fence of a run has its writes come one after the other.
  const oneWrite = pLimit(1);
  const activities: PerEntityActivities = {
    readIds: () => Promise.resolve(ids),
    computeOne: async (entityId) => {
      const batch = await compute([{ entityId, changeSeq: null }]);
      await oneWrite(async () => runs.write(run, await runs.position(run), batch, new Date()));
    },
  };
  const connection = await NativeConnection.connect({ address });
  const taskQueue = randomUUID();
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('per-entity-workflows.js', import.meta.url)),
    activities: { ...activities },
  });
  const running = worker.run();
  const client = new Client({ connection });
  const startedAt = performance.now();
  await client.workflow.execute('computeAreas', { workflowId: taskQueue, taskQueue });
  const coldMs = performance.now() - startedAt;
  const { counts } = await runs.position(run);
  worker.shutdown();
  await running;
  await connection.close();
  await sandbox.close();
  await catalog.close();
  return { entities: counts.processed, coldMs };
});
