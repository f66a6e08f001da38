import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { testLogger, uniqueTaskQueue, useTemporal } from '../../support/temporal.js';
import { useWorkflowThreads } from '../../support/workflow-threads.js';

useWorkflowThreads();

const workflowsPath = fileURLToPath(new URL('./fixtures/dynamic-workflow.ts', import.meta.url));

describe('a worker inside of a jest test', () => {
  const temporal = useTemporal();
  let workflowBundle: WorkflowBundleWithSourceMap;

  beforeAll(async () => {
    workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: testLogger });
  });

  async function createWorker(taskQueue: string): Promise<Worker> {
    return Worker.create({
      connection: temporal.nativeConnection,
      namespace: temporal.namespace,
      taskQueue,
      workflowBundle,
      activities: { greet: async (name: string) => Promise.resolve(`hello, ${name}`) },
    });
  }

  it('serves any workflow type with the default workflow and an activity', async () => {
    const taskQueue = uniqueTaskQueue();
    const worker = await createWorker(taskQueue);
    const result: unknown = await worker.runUntil(
      temporal.client.workflow.execute('word-report', {
        taskQueue,
        workflowId: taskQueue,
        args: ['Ada'],
      }),
    );
    expect(result).toBe('word-report: hello, Ada');
  });

  it('starts a workflow eagerly when client and worker share a native connection', async () => {
    const taskQueue = uniqueTaskQueue();
    const client = new Client({
      connection: temporal.nativeConnection,
      namespace: temporal.namespace,
    });
    const worker = await createWorker(taskQueue);
    const handle = await worker.runUntil(async () => {
      const started = await client.workflow.start('eager', {
        taskQueue,
        workflowId: taskQueue,
        args: ['Bo'],
        requestEagerStart: true,
      });
      expect(await started.result()).toBe('eager: hello, Bo');
      return started;
    });
    expect(handle.eagerlyStarted).toBe(true);
  });
});
