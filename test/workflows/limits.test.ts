import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOperation, type Operation } from '../../src/pipeline/operation.js';
import { permanent } from '../../src/pipeline/permanent.js';
import { pipelineOf, setter } from '../support/definitions.js';
import { codeOf, useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

const megabyte = 'x'.repeat(1024 * 1024);

describe('payloads', () => {
  it('ends well with ten parallel operations on a megabyte each', async () => {
    const big = (name: string): Operation =>
      defineOperation({
        name,
        reads: z.object({ blob: z.string() }),
        sets: z.object({ [name]: z.number() }),
        run: ({ input }) => ({ [name]: input.blob.length }),
      });
    const names = Array.from({ length: 10 }, (_, index) => `op${String(index)}`);
    const drop = defineOperation({ name: 'drop', deletes: ['blob'], run: () => ({}) });
    const { engine } = await stack(
      pipelineOf([
        { name: 's', operations: names.map(big) },
        { name: 'd', operations: [drop] },
      ]),
    );

    const { result } = await engine.execute('p', { blob: megabyte });

    expect(result).toEqual(Object.fromEntries(names.map((name) => [name, megabyte.length])));
  });

  it('ends with PayloadLimitExceeded where one payload is too large', async () => {
    const grow = defineOperation({
      name: 'grow',
      reads: z.object({ blob: z.string() }),
      sets: z.object({ blob: z.string() }),
      run: ({ input }) => ({ blob: input.blob + input.blob + input.blob }),
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [grow] }]));

    await expect(engine.execute('p', { blob: megabyte })).rejects.toMatchObject({
      failure: { type: 'PayloadLimitExceeded', operation: 'grow' },
    });
  });

  it('ends with PayloadLimitExceeded where several properties add up to a result that is too large', async () => {
    const one = (name: string): Operation =>
      defineOperation({
        name,
        sets: z.object({ [name]: z.string() }),
        run: () => ({ [name]: megabyte }),
      });
    const { engine } = await stack(
      pipelineOf([{ name: 's', operations: [one('a'), one('b'), one('c')] }]),
    );

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: { type: 'PayloadLimitExceeded' },
    });
  });

  it.each([{ count: 3 }, { count: 10 }])(
    'ends with a limit error, or well, with $count quick operations of a megabyte each',
    async ({ count }) => {
      const one = (name: string): Operation =>
        defineOperation({
          name,
          quick: true,
          sets: z.object({ [name]: z.string() }),
          run: () => ({ [name]: megabyte }),
        });
      const names = Array.from({ length: count }, (_, index) => `op${String(index)}`);
      const drop = defineOperation({ name: 'drop', deletes: names, run: () => ({}) });
      const { engine } = await stack(
        pipelineOf([
          { name: 's', operations: names.map(one) },
          { name: 'd', operations: [drop] },
        ]),
      );

      expect((await engine.execute('p', {})).result).toEqual({});
    },
  );

  it('keeps type and message of a failure whose details are too large', async () => {
    const verbose = defineOperation({
      name: 'verbose',
      run: () => {
        throw permanent('no', { text: megabyte }, 'Verbose');
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [verbose] }]));

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: { type: 'Verbose', message: expect.stringContaining('details were dropped') },
    });
  });

  it('gives an operation only what it reads', async () => {
    let seen: unknown;
    const nosy = defineOperation({
      name: 'nosy',
      reads: z.object({ a: z.number() }),
      run: ({ input }) => {
        seen = input;
        return {};
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [nosy] }]));

    await engine.execute('p', { a: 1, b: 'kept', c: [1, 2] });

    expect(seen).toEqual({ a: 1 });
  });
});

describe('a rolling deploy', () => {
  it.each([{ quick: false }, { quick: true }])(
    'waits for a worker that has the operation (quick: $quick)',
    async ({ quick }) => {
      const added = setter('added', 'x', 1, { quick });
      const { engine, startWorker, code } = await stack({
        ...pipelineOf([{ name: 's', operations: [added] }]),
        worker: false,
      });
      const older = await startWorker(codeOf({}));
      const run = await engine.start('p', {});
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect((await run.describe()).status).toBe('running');

      await startWorker(code);
      await older.stop();

      expect(await run.result()).toEqual({ x: 1 });
      expect((await run.describe()).progress?.stages[0]?.operations[0]).toMatchObject({
        state: 'completed',
        attempts: 1,
      });
    },
  );

  it.each([{ quick: false }, { quick: true }])(
    'finds the worker that has the operation beside one that began the run and lacks it (quick: $quick)',
    async ({ quick }) => {
      const { engine, startWorker, code } = await stack({
        ...pipelineOf([{ name: 's', operations: [setter('added', 'x', 1, { quick })] }]),
        worker: false,
      });
      // Shares its connection with the engine: every run begins on it, and would come back to it.
      await startWorker(codeOf({}));
      await startWorker(code);

      const runs = await Promise.all(Array.from({ length: 6 }, () => engine.execute('p', {})));

      expect(runs.map(({ result }) => result)).toEqual(runs.map(() => ({ x: 1 })));
    },
    60_000,
  );

  it('keeps attempts and checkpoint of an operation that a worker without its code got for a retry', async () => {
    const seen: unknown[] = [];
    const walk = defineOperation({
      name: 'walk',
      sets: z.object({ walked: z.number() }),
      retry: { maximumAttempts: 3, initialInterval: 50 },
      run: ({ attempt, checkpoint, heartbeat }) => {
        seen.push({ attempt, checkpoint });
        heartbeat({ completed: attempt }, attempt);
        code.replace({ ...registry, operations: new Map() }, new Map());
        throw new Error('not yet');
      },
    });
    const { engine, code } = await stack(pipelineOf([{ name: 's', operations: [walk] }]));
    const { registry } = code;
    // Deployed again after each failure, when the retry has met a worker without it.
    const run = await engine.start('p', {});
    for await (const { type } of run.events())
      if (type === 'operation_waiting') code.replace(registry, new Map());

    expect(seen).toEqual([
      { attempt: 1, checkpoint: undefined },
      { attempt: 2, checkpoint: 1 },
      { attempt: 3, checkpoint: 2 },
    ]);
    const { progress } = await run.describe();
    expect(progress?.stages[0]?.operations[0]).toMatchObject({ state: 'failed', attempts: 3 });
  });

  it('does not fill the history of runs with large inputs while it waits', async () => {
    const readers = Array.from({ length: 4 }, (_, index) =>
      defineOperation({
        name: `reader${String(index)}`,
        reads: z.object({ blob: z.string() }),
        sets: z.object({ [`size${String(index)}`]: z.number() }),
        run: ({ input }) => ({ [`size${String(index)}`]: input.blob.length }),
      }),
    );
    const drop = defineOperation({ name: 'drop', deletes: ['blob'], run: () => ({}) });
    const { engine, code } = await stack(
      pipelineOf([
        { name: 's', operations: readers },
        { name: 'd', operations: [drop] },
      ]),
    );
    const { registry } = code;
    code.replace({ ...registry, operations: new Map() }, new Map());
    const run = await engine.start('p', { blob: megabyte });
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    code.replace(registry, new Map());
    await run.result();

    const { raw } = await temporal.client.workflow.getHandle(run.id).describe();
    // The run's own input, each operation's twice, and what little is left.
    expect(Number(raw.workflowExecutionInfo?.historySizeBytes)).toBeLessThan(10.5 * 1024 * 1024);
  }, 60_000);

  it('says so when no such worker appears within the pipeline’s time', async () => {
    const { engine, startWorker } = await stack({
      ...pipelineOf([{ name: 's', operations: [setter('added', 'x', 1)] }], { timeout: 1_500 }),
      worker: false,
    });
    await startWorker(codeOf({}));

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: { type: 'OperationNotRegistered' },
    });
  });
});

describe('a worker that stops', () => {
  it('hands an operation back with its checkpoint, at the cost of no attempt', async () => {
    const attempts: unknown[] = [];
    const walk = defineOperation({
      name: 'walk',
      retry: { maximumAttempts: 1 },
      sets: z.object({ walked: z.number() }),
      run: async ({ attempt, checkpoint, heartbeat, signal }) => {
        attempts.push({ attempt, checkpoint });
        heartbeat({ completed: 3 }, 3);
        if (checkpoint !== undefined) return { walked: z.number().parse(checkpoint) };
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
        return { walked: 0 };
      },
    });
    const { engine, startWorker } = await stack({
      ...pipelineOf([{ name: 's', operations: [walk] }]),
      worker: false,
    });
    const first = await startWorker();
    const run = await engine.start('p', {});
    for (let left = 100; attempts.length === 0 && left > 0; left -= 1)
      await new Promise((resolve) => setTimeout(resolve, 50));

    await first.stop();
    await startWorker();

    expect(await run.result()).toEqual({ walked: 3 });
    expect(attempts).toEqual([{ attempt: 1 }, { attempt: 1, checkpoint: 3 }]);
    expect((await run.describe()).progress?.stages[0]).toMatchObject({
      state: 'completed',
      operations: [{ attempts: 1 }],
    });
  });

  it('stops, and hands the operation back, also where its body ignores the signal', async () => {
    let bodies = 0;
    const deaf = defineOperation({
      name: 'deaf',
      run: async () => {
        if (bodies++ === 0) await new Promise((resolve) => setTimeout(resolve, 20_000).unref());
        return {};
      },
    });
    const { engine, startWorker } = await stack({
      ...pipelineOf([{ name: 's', operations: [deaf] }]),
      worker: false,
    });
    const first = await startWorker();
    const run = await engine.start('p', {});
    for (let left = 100; bodies === 0 && left > 0; left -= 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const began = Date.now();

    await first.stop();

    expect(Date.now() - began).toBeLessThan(5_000);
    await startWorker();
    expect(await run.result()).toEqual({});
  });
});

describe('cancelling', () => {
  it('aborts the running operation and ends the run as cancelled', async () => {
    const seen = { aborted: false };
    const waiting = defineOperation({
      name: 'waiting',
      timeout: '20s',
      run: async ({ signal }) => {
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            seen.aborted = true;
            reject(signal.reason as Error);
          });
        });
        return {};
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [waiting] }]));
    const run = await engine.start('p', {});
    await new Promise((resolve) => setTimeout(resolve, 300));

    await run.cancel();

    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    const until = Date.now() + 10_000;
    while (!seen.aborted && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.aborted).toBe(true);
  });
});

describe('an unknown workflow type', () => {
  it('fails for good when it was started without a plan', async () => {
    const { taskQueue } = await stack({});
    const handle = await temporal.client.workflow.start('toast', {
      taskQueue,
      workflowId: `toast-${taskQueue}`,
    });

    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'PlanRefused' } });
  });
});
