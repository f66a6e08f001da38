import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineOperation, type Operation } from '../../src/pipeline/operation.js';
import { pipelineOf, setter } from '../support/definitions.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

describe('failures', () => {
  it('are retried three times with a growing wait, unless set', async () => {
    const attempts: number[] = [];
    const failing = defineOperation({
      name: 'failing',
      retry: { initialInterval: 20 },
      run: ({ attempt }) => {
        attempts.push(attempt);
        throw new Error('always');
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [failing] }]));

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: { type: 'Error', message: 'always', attempts: 3 },
    });
    expect(attempts).toEqual([1, 2, 3]);
  });

  it.each([
    { what: 'all', ignoreErrors: true as const },
    { what: 'those of a type', ignoreErrors: ['RateLimited'] },
    {
      what: 'those that a function says',
      ignoreErrors: ({ message }: { message: string }) => message === 'slow down',
    },
  ])(
    'are ignored where ignoreErrors covers $what, and the namespaces pass unchanged',
    async ({ ignoreErrors }) => {
      class RateLimited extends Error {
        override readonly name = 'RateLimited';
      }
      const limited = defineOperation({
        name: 'limited',
        retry: { maximumAttempts: 1 },
        sets: z.object({ x: z.number() }),
        run: () => {
          throw new RateLimited('slow down');
        },
      });
      for (const quick of [false, true]) {
        const { engine } = await stack(
          pipelineOf([
            { name: 's', operations: [{ type: { ...limited, quick } as Operation, ignoreErrors }] },
          ]),
        );

        const { run, result } = await engine.execute('p', { kept: 'yes' });

        expect(result).toEqual({ kept: 'yes' });
        expect((await run.describe()).progress?.stages[0]).toMatchObject({
          state: 'completed',
          operations: [{ state: 'ignored' }],
        });
      }
    },
  );

  it('are ignored where a function says so of a timeout, which no operation has seen', async () => {
    const slow = defineOperation({
      name: 'slow',
      timeout: 200,
      retry: { maximumAttempts: 1 },
      ignoreErrors: ({ type }) => type === 'timeout',
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1_500).unref());
        return {};
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [slow] }]));

    const { run, result } = await engine.execute('p', { kept: 'yes' });

    expect(result).toEqual({ kept: 'yes' });
    expect((await run.describe()).progress?.stages[0]).toMatchObject({
      state: 'completed',
      operations: [{ state: 'ignored' }],
    });
  });

  it('are not ignored where ignoreErrors does not cover them', async () => {
    const failing = defineOperation({
      name: 'failing',
      retry: { maximumAttempts: 1 },
      ignoreErrors: ['SomethingElse'],
      run: () => {
        throw new Error('this');
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [failing] }]));

    await expect(engine.execute('p', {})).rejects.toMatchObject({ failure: { message: 'this' } });
  });
});

describe('timeouts', () => {
  const sleeper = defineOperation({
    name: 'sleeper',
    retry: { maximumAttempts: 1 },
    run: async () => {
      await new Promise((resolve) => setTimeout(resolve, 3_000).unref());
      return {};
    },
  });

  it.each([
    {
      owner: 'operation',
      stages: [{ name: 's', operations: [{ type: sleeper, timeout: 300 }] }],
      timeout: 60_000,
    },
    {
      owner: 'stage',
      stages: [{ name: 's', timeout: 300, operations: [sleeper as Operation] }],
      timeout: 60_000,
    },
    {
      owner: 'pipeline',
      stages: [{ name: 's', operations: [sleeper as Operation] }],
      timeout: 300,
    },
  ])("end the run by the $owner's limit", async ({ stages, timeout, owner }) => {
    const { engine } = await stack(pipelineOf(stages, { timeout }));
    const began = Date.now();

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      status: 'timed_out',
      failure: {
        type: 'timeout',
        operation: 'sleeper',
        message: expect.stringContaining(owner === 'operation' ? '300 ms' : owner),
      },
    });
    expect(Date.now() - began).toBeLessThan(2_500);
  });
});

describe('a pipeline that runs out of time', () => {
  it('has timed out, also where the operation that it waits for ignores its errors', async () => {
    const hanging = defineOperation({
      name: 'hanging',
      ignoreErrors: true,
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 3_000).unref());
        return {};
      },
    });
    const { engine } = await stack(
      pipelineOf(
        [
          { name: 's', operations: [hanging] },
          { name: 't', operations: [setter('a', 'a', 1)] },
        ],
        { timeout: 700 },
      ),
    );
    const run = await engine.start('p', {});

    await expect(run.result()).rejects.toMatchObject({
      status: 'timed_out',
      failure: { type: 'timeout' },
    });
    expect((await run.describe()).progress?.stages[0]).toMatchObject({ state: 'failed' });
  });
});
