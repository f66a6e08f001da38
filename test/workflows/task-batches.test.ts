import { describe, expect, it } from '@jest/globals';
import { defineBatchableHandler, defineStepHandler } from '../../src/task/handler.js';
import type { FailureStrategy } from '../../src/task/plan.js';
import { STEP_SIGNAL, type StepSignal } from '../../src/task/step-signal.js';
import { batches, error, noBatches, success } from '../../src/task/step-result.js';
import { defineTask, type BatchConfig, type Task } from '../../src/task/task.js';
import { useStacks } from '../support/stack.js';
import { stepsOfRun } from '../support/tasks.js';
import { useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

const divide = defineBatchableHandler({
  name: 'divide',
  run: ({ getTaskField }) => {
    const total = getTaskField<number>('total') ?? 0;
    return total === 0 ? noBatches() : batches({ total }, { total });
  },
});

const gather = defineStepHandler({
  name: 'gather',
  run: ({ getAllDependencyResults }) =>
    success(
      getAllDependencyResults('load_').map(({ name, result, failure }) => [
        name,
        failure?.message ?? result ?? null,
      ]),
    ),
});

/** Divides `total` items, has a handler work on them, and gathers what came of it. */
function batchTask(load: ReturnType<typeof defineStepHandler>, config: Partial<BatchConfig>): Task {
  return defineTask({
    name: 'import-rows',
    lifecycle: { onError: config.failureStrategy === 'isolate' ? 'wait' : 'end' },
    steps: [
      {
        name: 'divide',
        type: 'batchable',
        handler: divide,
        batchConfig: { workerTemplate: 'load', batchSize: 100, ...config },
      },
      {
        name: 'load',
        type: 'batch_worker',
        handler: load,
        dependencies: ['divide'],
        retry: { maxAttempts: 2, backoffBaseMs: 10 },
      },
      {
        name: 'gather',
        type: 'deferred_convergence',
        handler: gather,
        dependencies: ['load'],
      },
    ],
  });
}

describe('a batch', () => {
  it('has a worker for each range, no more at once than it says, and a convergence that sees all results', async () => {
    let [running, most] = [0, 0];
    const load = defineStepHandler({
      name: 'load',
      run: async ({ batch, getInput }) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 30));
        running -= 1;
        return success([batch?.start ?? null, batch?.end ?? null, getInput('batch_id') ?? null]);
      },
    });
    const { engine } = await stack({ tasks: [batchTask(load, { parallelism: 2 })] });
    const { result, run } = await engine.execute('import-rows', { total: 450 });
    expect(result).toEqual({
      status: 'complete',
      results: {
        gather: [
          ['load_001', [0, 100, '001']],
          ['load_002', [100, 200, '002']],
          ['load_003', [200, 300, '003']],
          ['load_004', [300, 400, '004']],
          ['load_005', [400, 450, '005']],
        ],
      },
    });
    expect(most).toBe(2);
    expect((await stepsOfRun(run)).map(({ name, step }) => [name, step])).toEqual([
      ['divide', 'divide'],
      ...[1, 2, 3, 4, 5].map((at) => [`load_00${String(at)}`, 'load']),
      ['gather', 'gather'],
    ]);
  });

  it('has what comes after it run where there is nothing to do', async () => {
    const load = defineStepHandler({ name: 'load', run: () => success() });
    const { engine } = await stack({ tasks: [batchTask(load, {})] });
    const { result } = await engine.execute('import-rows', { total: 0 });
    expect(result).toEqual({ status: 'complete', results: { gather: [] } });
  });

  it('goes on from the checkpoint where an attempt has failed', async () => {
    const seen: unknown[] = [];
    const load = defineStepHandler({
      name: 'load',
      run: ({ batch, attempt, checkpointYield }) => {
        seen.push([attempt, batch?.cursor, batch?.itemsProcessed, batch?.accumulated ?? null]);
        if (attempt === 1) {
          checkpointYield({ cursor: 40, itemsProcessed: 40, accumulated: { sum: 780 } });
          throw new Error('the service is away');
        }
        return success({ from: batch?.cursor ?? null });
      },
    });
    const { engine } = await stack({ tasks: [batchTask(load, {})] });
    const { result } = await engine.execute('import-rows', { total: 50 });
    expect(seen).toEqual([
      [1, 0, 0, null],
      [2, 40, 40, { sum: 780 }],
    ]);
    expect(result).toMatchObject({ results: { gather: [['load_001', { from: 40 }]] } });
  });

  it.each([
    ['an end that is not behind its start', [{ start: 5, end: 5 }], 'is no range'],
    [
      'ranges that share items',
      [
        { start: 0, end: 10 },
        { start: 9, end: 20 },
      ],
      'have items in common',
    ],
    ['too many ranges', { total: 1_000_000 }, 'more than 1000 ranges'],
  ])('is refused with %s', async (_what, ranges, message) => {
    const odd = defineBatchableHandler({ name: 'divide', run: () => batches(ranges) });
    const load = defineStepHandler({ name: 'load', run: () => success() });
    const { engine } = await stack({
      tasks: [
        defineTask({
          name: 'odd-ranges',
          steps: [
            {
              name: 'divide',
              type: 'batchable',
              handler: odd,
              batchConfig: { workerTemplate: 'load', batchSize: 100 },
            },
            { name: 'load', type: 'batch_worker', handler: load, dependencies: ['divide'] },
          ],
        }),
      ],
    });
    await expect(engine.execute('odd-ranges', {})).rejects.toMatchObject({
      failure: {
        type: 'StepResultInvalid',
        attempts: 1,
        message: expect.stringContaining(message),
      },
    });
  });
});

describe('a batch of which a worker fails for good', () => {
  /** Fails for the range that starts at 100, until it is mended; those behind it take a while. */
  function setUp(failureStrategy: FailureStrategy, parallelism: number) {
    const state = { broken: true, begun: [] as number[] };
    const load = defineStepHandler({
      name: 'load',
      run: async ({ batch, signal }) => {
        const start = batch?.start ?? 0;
        state.begun.push(start);
        if (start === 100 && state.broken) return error({ message: 'bad rows', retryable: false });
        if (start > 100 && failureStrategy === 'fail_fast')
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(new Error('aborted'));
            });
          });
        return success({ start });
      },
    });
    return { state, task: batchTask(load, { failureStrategy, parallelism }) };
  }

  it('goes on, and tells what comes after it, where it says continue_on_failure', async () => {
    const { task } = setUp('continue_on_failure', 10);
    const { engine } = await stack({ tasks: [task] });
    const { result, run } = await engine.execute('import-rows', { total: 300 });
    expect(result).toEqual({
      status: 'complete',
      results: {
        gather: [
          ['load_001', { start: 0 }],
          ['load_002', 'bad rows'],
          ['load_003', { start: 200 }],
        ],
      },
    });
    expect((await stepsOfRun(run)).map(({ status }) => status)).toEqual([
      'complete',
      'complete',
      'error',
      'complete',
      'complete',
    ]);
  });

  it('stops the others, and begins no more, where it says fail_fast', async () => {
    const { state, task } = setUp('fail_fast', 3);
    const { engine } = await stack({ tasks: [task] });
    const run = await engine.start('import-rows', { total: 500 });
    await expect(run.result()).rejects.toMatchObject({
      status: 'failed',
      failure: { step: 'load_002', message: 'Step "load_002" failed: bad rows' },
    });
    expect(state.begun.filter((start) => start > 300)).toEqual([]);
    const states = (await stepsOfRun(run)).map(({ name, status }) => [name, status]);
    expect(states.slice(2)).toEqual([
      ['load_002', 'error'],
      ['load_003', 'cancelled'],
      ...states.slice(4, 6).map(([name]) => [name, 'cancelled']),
      ['gather', 'blocked'],
    ]);
  });

  it('sets it aside until it is retried, where it says isolate', async () => {
    const { state, task } = setUp('isolate', 10);
    const { engine } = await stack({ tasks: [task] });
    const run = await engine.start('import-rows', { total: 300 });
    await until(async () => {
      const steps = await stepsOfRun(run);
      return steps.filter(({ status }) => status === 'complete').length === 3 ? true : undefined;
    });
    expect((await stepsOfRun(run)).map(({ status }) => status)).toEqual([
      'complete',
      'complete',
      'error',
      'complete',
      'blocked',
    ]);
    state.broken = false;
    const signal: StepSignal = { kind: 'retry', step: 'load_002' };
    await temporal.client.workflow.getHandle(run.id).signal(STEP_SIGNAL, signal);
    expect(await run.result()).toEqual({
      status: 'complete',
      results: {
        gather: [
          ['load_001', { start: 0 }],
          ['load_002', { start: 100 }],
          ['load_003', { start: 200 }],
        ],
      },
    });
    expect(state.begun.filter((start) => start === 0)).toEqual([0]);
  });
});
