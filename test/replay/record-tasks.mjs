/** Records the histories of tasks, for record-histories.mjs: one run of each way through their workflow. */
import { Client, Connection } from '@temporalio/client';
import {
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
} from '../../dist/src/task/handler.js';
import { batches, branches, error, success } from '../../dist/src/task/step-result.js';
import { defineTask } from '../../dist/src/task/task.js';
import { createTestEnvironment } from '../../dist/testing/test-environment.js';
import { onContinuingServer, pause, recordChain } from './recording.mjs';

const work = defineStepHandler({ name: 'task-work', run: ({ step }) => success(step.name) });
const fails = defineStepHandler({
  name: 'task-fails',
  run: () => error({ message: 'it always does', retryable: false }),
});
const waits = defineStepHandler({
  name: 'task-waits',
  run: ({ signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    ),
});
const big = defineStepHandler({ name: 'task-big', run: () => success('x'.repeat(1_200_000)) });
const route = defineDecisionHandler({ name: 'task-route', run: () => branches(['a', 'b']) });
const split = defineBatchableHandler({ name: 'task-split', run: () => batches({ total: 6 }) });
const load = defineStepHandler({
  name: 'task-load',
  run: async (context) => {
    if (context.batch.id === '002') return error({ message: 'bad rows', retryable: false });
    await pause(context.batch.id === '001' ? 0 : 300);
    return success(context.batch.start);
  },
});

const batch = (failureStrategy, parallelism = 3) => [
  {
    name: 'split',
    type: 'batchable',
    handler: split,
    batchConfig: { workerTemplate: 'load', batchSize: 1, parallelism, failureStrategy },
  },
  { name: 'load', type: 'batch_worker', handler: load, dependencies: ['split'] },
  { name: 'gather', type: 'deferred_convergence', handler: work, dependencies: ['load'] },
];
const graph = [
  { name: 'first', handler: work },
  { name: 'route', type: 'decision', handler: route, dependencies: ['first'] },
  ...['a', 'b', 'c'].map((name) => ({ name, handler: work, dependencies: ['route'] })),
  ...batch('continue_on_failure'),
  {
    name: 'last',
    type: 'deferred_convergence',
    handler: work,
    dependencies: ['a', 'b', 'c', 'gather'],
  },
];
const open = [
  { name: 'check', handler: fails },
  { name: 'ship', handler: work, dependencies: ['check'] },
];
const asked = [
  { name: 'approve', type: 'approval', approval: { timeout: '3s' } },
  { name: 'ship', handler: work, dependencies: ['approve'] },
];
const tasks = {
  'tasks-graph': { steps: graph },
  'tasks-failed': { steps: open },
  'tasks-fail-fast': { steps: batch('fail_fast') },
  'tasks-retried': { steps: open, lifecycle: { onError: 'wait', maxDuration: '2s' } },
  'tasks-resolved': { steps: open, lifecycle: { onError: 'wait' } },
  'tasks-approved': { steps: asked },
  'tasks-unanswered': { steps: asked },
  'tasks-dead-letter': {
    steps: [{ name: 'wait', handler: waits }],
    lifecycle: { maxDuration: '1s', onLimit: 'dead_letter' },
  },
  'tasks-waited': {
    steps: open,
    lifecycle: { onError: 'wait', maxWaitForDependencies: '1s' },
  },
  'tasks-cancelled': { steps: [{ name: 'wait', handler: waits }] },
  'tasks-missing-code': { steps: [{ name: 'first', handler: work }] },
  'tasks-too-large': {
    steps: [
      { name: 'one', handler: big },
      { name: 'two', handler: big },
      { name: 'both', handler: work, dependencies: ['one', 'two'] },
    ],
  },
  'tasks-continued': { steps: graph },
};

/** What is done to a run, a while after its start. */
const ways = {
  'tasks-retried': (run) => run.tellStep({ kind: 'retry', step: 'check' }),
  'tasks-resolved': (run) =>
    run.tellStep({ kind: 'resolve', step: 'check', result: 'by hand', reason: 'looked it up' }),
  'tasks-approved': (run) =>
    run.tellStep({ kind: 'answer', step: 'approve', approved: true, result: 'yes' }),
  'tasks-cancelled': (run) => run.cancel(),
};

async function recordRun(env, client, name, record) {
  const { registry } = env.worker.code;
  if (name === 'tasks-missing-code')
    env.worker.code.replace({ ...registry, stepHandlers: new Map() }, new Map());
  const run = await env.engine.start(name, {});
  await pause(700);
  env.worker.code.replace(registry, new Map());
  await ways[name]?.(run);
  await run.result().catch(() => undefined);
  await record(name, client, run.id);
}

/** Records those of these names, or all. */
export async function recordTasks({ address, wanted, record }) {
  const names = Object.keys(tasks).filter((name) => wanted.length === 0 || wanted.includes(name));
  const withEnvironment = async (at, of, use) => {
    const env = await createTestEnvironment({
      tasks: of.map((name) => defineTask({ name, ...tasks[name] })),
      config: { temporal: { address: at } },
    });
    const client = new Client({ connection: await Connection.connect({ address: at }) });
    try {
      await use(env, client);
    } finally {
      await client.connection.close();
      await env.stop();
    }
  };
  const short = names.filter((name) => name !== 'tasks-continued');
  if (short.length > 0)
    await withEnvironment(address, short, async (env, client) => {
      for (const name of short) await recordRun(env, client, name, record);
    });
  if (!names.includes('tasks-continued')) return;
  await onContinuingServer((at) =>
    withEnvironment(at, ['tasks-continued'], async (env, client) => {
      const run = await env.engine.start('tasks-continued', {});
      await recordChain('tasks-continued', { client, workflowId: run.id, record });
    }),
  );
}
