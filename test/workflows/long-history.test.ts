import { expect, it } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { useContinuingTemporal } from '../support/continuing-temporal.js';
import type { walk } from './fixtures/long-history.js';
import { gate } from '../support/gate.js';
import { testLogger, uniqueTaskQueue } from '../support/temporal.js';
import { until } from '../support/until.js';

const EVENTS = 5;
const temporal = useContinuingTemporal(EVENTS);
const workflowsPath = fileURLToPath(new URL('./fixtures/long-history.ts', import.meta.url));

it('is not left behind by a run that was cancelled in the meantime', async () => {
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: testLogger });
  const { client, nativeConnection: connection } = temporal;
  const taskQueue = uniqueTaskQueue('long');
  const held = gate();
  const common = { connection, namespace: temporal.namespace, taskQueue };
  const activityWorker = await Worker.create({
    ...common,
    activities: { step: () => held.pass() },
  });
  const workflowWorker = () => Worker.create({ ...common, workflowBundle });
  await activityWorker.runUntil(async () => {
    const handle = await client.workflow.start<typeof walk>('walk', {
      taskQueue,
      workflowId: taskQueue,
      args: [3],
    });
    const events = async () => (await handle.fetchHistory()).events ?? [];
    const first = await workflowWorker();
    await first.runUntil(
      until(
        async () =>
          (await events()).some((e) => e.activityTaskScheduledEventAttributes) ? true : undefined,
        10_000,
      ),
    );
    // The workflow is told both at once: that its step is done, and that it is cancelled.
    held.open();
    await until(
      async () =>
        (await events()).some((e) => e.activityTaskCompletedEventAttributes) ? true : undefined,
      10_000,
    );
    await handle.cancel();
    const second = await workflowWorker();
    const error = await second.runUntil(handle.result().catch((thrown: unknown) => thrown));
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
  });
});
