import { defineBatchableHandler, defineStepHandler } from '../../src/task/handler.js';
import { batches, success } from '../../src/task/step-result.js';
import { defineTask, type Task } from '../../src/task/task.js';
import { BATCH, FAN, step, sum } from './work.js';

const plain = defineStepHandler({
  name: 'plain',
  run: ({ step: { name }, getAllDependencyResults }) => {
    getAllDependencyResults();
    return success({ ...step(name) });
  },
});
const split = defineBatchableHandler({
  name: 'split',
  run: () => batches({ total: BATCH.items }),
});
const load = defineStepHandler({
  name: 'load',
  run: ({ batch }) => success(sum(batch?.start ?? 0, batch?.end ?? 0)),
});
const gather = defineStepHandler({
  name: 'gather',
  run: ({ getAllDependencyResults }) =>
    success(getAllDependencyResults('load_').reduce((all, { result }) => all + Number(result), 0)),
});
const names = Array.from({ length: FAN }, (_, at) => `s${String(at)}`);

/** The same graphs as those that are written by hand. */
export const TASKS: readonly Task[] = [
  defineTask({
    name: 'diamond',
    steps: [
      { name: 'first', handler: plain },
      { name: 'left', handler: plain, dependencies: ['first'] },
      { name: 'right', handler: plain, dependencies: ['first'] },
      { name: 'last', handler: plain, dependencies: ['left', 'right'] },
    ],
  }),
  defineTask({
    name: 'fan',
    steps: [
      ...names.map((name) => ({ name, handler: plain })),
      { name: 'last', handler: plain, dependencies: names },
    ],
  }),
  defineTask({
    name: 'batch',
    steps: [
      {
        name: 'split',
        type: 'batchable',
        handler: split,
        batchConfig: {
          workerTemplate: 'load',
          batchSize: BATCH.size,
          parallelism: BATCH.parallelism,
        },
      },
      { name: 'load', type: 'batch_worker', handler: load, dependencies: ['split'] },
      { name: 'gather', handler: gather, dependencies: ['load'] },
    ],
  }),
];
