import { expect, it } from '@jest/globals';
import { defineBatchableHandler, defineStepHandler } from '../../src/task/handler.js';
import { batches, error, success } from '../../src/task/step-result.js';
import { defineTask } from '../../src/task/task.js';
import { useContinuingTemporal } from '../support/continuing-temporal.js';
import { useStacks } from '../support/stack.js';
import { statesOf } from '../support/tasks.js';
import { until } from '../support/until.js';

const temporal = useContinuingTemporal(30);
const stack = useStacks(temporal);

const split = defineBatchableHandler({ name: 'split', run: () => batches({ total: 40 }) });
const load = defineStepHandler({ name: 'load', run: ({ batch }) => success(batch?.start ?? null) });

it('takes along what a task has done, what it waits for, and how often it may be told', async () => {
  let works = false;
  const check = defineStepHandler({
    name: 'check',
    run: () => (works ? success('checked') : error({ message: 'not now', retryable: false })),
  });
  const gather = defineStepHandler({
    name: 'gather',
    run: ({ getAllDependencyResults }) =>
      success(getAllDependencyResults().map(({ name, result }) => [name, result ?? null])),
  });
  const { engine } = await stack({
    tasks: [
      defineTask({
        name: 'long',
        lifecycle: { onError: 'wait' },
        steps: [
          { name: 'check', handler: check },
          { name: 'approve', type: 'approval' },
          {
            name: 'split',
            type: 'batchable',
            handler: split,
            batchConfig: { workerTemplate: 'load', batchSize: 1, parallelism: 3 },
          },
          { name: 'load', type: 'batch_worker', handler: load, dependencies: ['split'] },
          { name: 'gather', handler: gather, dependencies: ['check', 'approve', 'load'] },
        ],
      }),
    ],
  });
  const run = await engine.start('long', {});
  const states = () => statesOf(run);
  await until(async () => ((await states())['load_040'] === 'complete' ? true : undefined), 60_000);
  expect(await states()).toMatchObject({
    check: 'error',
    approve: 'in_progress',
    load_001: 'complete',
    gather: 'blocked',
  });
  works = true;
  await run.tellStep({ kind: 'retry', step: 'check' });
  await run.tellStep({ kind: 'answer', step: 'approve', approved: true, result: 'yes' });
  const ranges = Array.from({ length: 40 }, (_, at) => [
    `load_${String(at + 1).padStart(3, '0')}`,
    at,
  ]);
  expect(await run.result()).toEqual({
    status: 'complete',
    results: { gather: [['check', 'checked'], ['approve', 'yes'], ...ranges] },
  });
  const { raw } = await temporal.client.workflow.getHandle(run.id).describe();
  const info = raw.workflowExecutionInfo;
  expect(info?.firstRunId).not.toBe(info?.execution?.runId);
  expect(Object.values(await states())).toEqual(Array.from({ length: 44 }, () => 'complete'));
}, 90_000);
