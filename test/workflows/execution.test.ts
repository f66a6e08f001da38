import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { Run } from '../../engine/run.js';
import { defineOperation, type Operation } from '../../src/pipeline/operation.js';
import { pipelineOf, setter } from '../support/definitions.js';
import { useStacks } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';

const temporal = useTemporal();
const stack = useStacks(temporal);

/** Names of the activities that a run has in its history, local ones in brackets. */
async function activitiesOf(run: Run): Promise<readonly string[]> {
  const { events = [] } = await temporal.client.workflow.getHandle(run.id).fetchHistory();
  return (events ?? []).flatMap((event) => {
    const scheduled = event.activityTaskScheduledEventAttributes?.activityType?.name;
    return scheduled ? [scheduled] : event.markerRecordedEventAttributes ? ['[local]'] : [];
  });
}

describe('fusion', () => {
  it('runs neighbouring quick operations as one local activity, and others as activities of their own', async () => {
    const { engine } = await stack(
      pipelineOf([
        {
          name: 'one',
          operations: [setter('a', 'a', 1, { quick: true }), setter('b', 'b', 2, { quick: true })],
        },
        { name: 'two', operations: [setter('c', 'c', 3, { quick: true })] },
        { name: 'three', operations: [setter('d', 'd', 4), setter('e', 'e', 5, { quick: true })] },
        { name: 'four', operations: [setter('f', 'f', 6, { quick: true })] },
      ]),
    );

    const { run, result } = await engine.execute('p', {});

    expect(result).toEqual({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 });
    const activities = await activitiesOf(run);
    expect(activities.filter((name) => name === '[local]')).toHaveLength(2);
    expect(activities.filter((name) => name !== '[local]')).toEqual(['d', 'e']);
  });

  it('retries a quick operation inside of its group', async () => {
    let attempts = 0;
    const flaky = defineOperation({
      name: 'flaky',
      quick: true,
      retry: { initialInterval: 10 },
      sets: z.object({ done: z.boolean() }),
      run: ({ attempt }) => {
        attempts = attempt;
        if (attempt < 3) throw new Error('not yet');
        return { done: true };
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 'only', operations: [flaky] }]));

    const { run, result } = await engine.execute('p', {});

    expect(result).toEqual({ done: true });
    expect(attempts).toBe(3);
    expect(await activitiesOf(run)).toEqual(['[local]']);
    expect((await run.describe()).progress?.stages[0]?.operations[0]).toMatchObject({
      state: 'completed',
      attempts: 3,
    });
  });

  it('goes on with a quick operation that takes too long as an ordinary activity, and keeps what was done', async () => {
    let counted = 0;
    const counter = defineOperation({ name: 'counter', quick: true, run: () => (counted++, {}) });
    const slow = defineOperation({
      name: 'slow',
      quick: true,
      sets: z.object({ slow: z.boolean() }),
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 2_500));
        return { slow: true };
      },
    });
    const { engine } = await stack(
      pipelineOf([
        { name: 'first', operations: [counter] },
        { name: 'second', operations: [slow] },
      ]),
    );

    const { run, result } = await engine.execute('p', {});

    expect(result).toEqual({ slow: true });
    expect(counted).toBe(1);
    expect(await activitiesOf(run)).toEqual(['[local]', 'slow']);
  });
});

describe('a fused stage', () => {
  const slow = defineOperation({
    name: 'slow',
    quick: true,
    sets: z.object({ slow: z.boolean() }),
    run: async () => {
      await new Promise((resolve) => setTimeout(resolve, 2_300));
      return { slow: true };
    },
  });

  it('lets an operation that is handed over finish before the error of its sibling is raised', async () => {
    const bad = defineOperation({
      name: 'bad',
      quick: true,
      retry: { maximumAttempts: 1 },
      run: () => {
        throw new Error('bad');
      },
    });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [slow, bad] }]));
    const run = await engine.start('p', {});

    await expect(run.result()).rejects.toMatchObject({ failure: { operation: 'bad' } });
    expect((await run.describe()).progress?.stages[0]).toMatchObject({
      state: 'failed',
      operations: [{ state: 'completed' }, { state: 'failed' }],
    });
  });

  it.each([
    { maximumAttempts: 3, slowFrom: 2, attempts: 3, starts: 3 },
    // What was interrupted may be finished, and counts once.
    { maximumAttempts: 1, slowFrom: 1, attempts: 1, starts: 2 },
  ])(
    'has its attempts counted on when it is handed over: $maximumAttempts at most',
    async ({ maximumAttempts, slowFrom, attempts, starts }) => {
      const told: number[] = [];
      const stubborn = defineOperation({
        name: 'stubborn',
        quick: true,
        retry: { maximumAttempts, initialInterval: 10 },
        run: async ({ attempt }) => {
          told.push(attempt);
          if (told.length === slowFrom) await new Promise((resolve) => setTimeout(resolve, 2_300));
          throw new Error('no');
        },
      });
      const { engine } = await stack(pipelineOf([{ name: 's', operations: [stubborn] }]));
      const run = await engine.start('p', {});

      await expect(run.result()).rejects.toMatchObject({ failure: { attempts } });
      expect(told).toHaveLength(starts);
      expect(told.at(-1)).toBe(attempts);
      expect((await run.describe()).progress?.stages[0]?.operations[0]).toMatchObject({
        state: 'failed',
        attempts,
      });
    },
  );

  it('keeps its own time limit when it is handed over', async () => {
    const { engine } = await stack(pipelineOf([{ name: 's', timeout: 3_000, operations: [slow] }]));
    const began = Date.now();

    await expect(engine.execute('p', {})).rejects.toMatchObject({ status: 'timed_out' });
    expect(Date.now() - began).toBeLessThan(4_500);
  });

  it('does not show its operations what a sibling did to a value in place', async () => {
    const vandal = defineOperation({
      name: 'vandal',
      quick: true,
      reads: z.object({ doc: z.any() }),
      run: ({ input }) => {
        (input.doc as { v: number }).v = 2;
        return {};
      },
    });
    const reader = defineOperation({
      name: 'reader',
      quick: true,
      reads: z.object({ doc: z.object({ v: z.number() }) }),
      sets: z.object({ seen: z.number() }),
      run: ({ input }) => ({ seen: input.doc.v }),
    });
    const { engine } = await stack(
      pipelineOf([
        { name: 'one', operations: [vandal] },
        { name: 'two', operations: [reader] },
      ]),
    );

    expect((await engine.execute('p', { doc: { v: 1 } })).result).toEqual({
      doc: { v: 1 },
      seen: 1,
    });
  });
});

describe('parallel operations', () => {
  it('all finish before the first error, in listed order, is raised', async () => {
    let finished = false;
    const fails = (name: string): Operation =>
      defineOperation({
        name,
        retry: { maximumAttempts: 1 },
        run: () => {
          throw new Error(`${name} went wrong`);
        },
      });
    const slow = defineOperation({
      name: 'slow',
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        finished = true;
        return {};
      },
    });
    const { engine } = await stack(
      pipelineOf([{ name: 's', operations: [slow, fails('second'), fails('third')] }]),
    );

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: { operation: 'second', message: 'second went wrong' },
    });
    expect(finished).toBe(true);
  });

  it('run at most as many at once as the stage says', async () => {
    let now = 0;
    let most = 0;
    const step = (name: string): Operation =>
      defineOperation({
        name,
        run: async () => {
          most = Math.max(most, ++now);
          await new Promise((resolve) => setTimeout(resolve, 50));
          now -= 1;
          return {};
        },
      });
    const { engine } = await stack(
      pipelineOf([{ name: 's', parallel: 2, operations: ['a', 'b', 'c', 'd', 'e'].map(step) }]),
    );

    await engine.execute('p', {});

    expect(most).toBe(2);
  });

  it.each([
    { merge: 'last' as const, expected: { x: 'b' } },
    { merge: 'first' as const, expected: { x: 'a' } },
    { merge: 'collate' as const, expected: { x: ['a', 'b'] } },
  ])('merge their changes by $merge', async ({ merge, expected }) => {
    const { engine } = await stack(
      pipelineOf([{ name: 's', operations: [setter('a', 'x', 'a'), setter('b', 'x', 'b')] }], {
        merge,
      }),
    );

    expect((await engine.execute('p', {})).result).toEqual(expected);
  });

  it('do not bring back what a sibling deletes', async () => {
    const drop = defineOperation({
      name: 'drop',
      deletes: ['secret'],
      reads: z.object({ secret: z.string() }),
      run: () => ({}),
    });
    const { engine } = await stack(
      pipelineOf([{ name: 's', operations: [drop, setter('other', 'x', 1)] }]),
    );

    expect((await engine.execute('p', { secret: 'hush', kept: true })).result).toEqual({
      kept: true,
      x: 1,
    });
  });
});

describe('several namespaces', () => {
  const split = defineOperation({
    name: 'split',
    reads: z.object({ words: z.array(z.string()) }),
    sets: z.object({ word: z.string() }),
    deletes: ['words'],
    changesCount: true,
    runBatch: ({ inputs }) =>
      inputs.flatMap(({ words }, from) => words.map((word) => ({ from, set: { word } }))),
  });

  it('are all returned under result: all', async () => {
    const { engine } = await stack(
      pipelineOf([{ name: 's', operations: [split] }], { result: 'all' }),
    );

    expect((await engine.execute('p', { words: ['a', 'b'], id: 7 })).result).toEqual([
      { word: 'a', id: 7 },
      { word: 'b', id: 7 },
    ]);
  });

  it('are an error under the default, which says so', async () => {
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [split] }]));

    await expect(engine.execute('p', { words: ['a', 'b'] })).rejects.toMatchObject({
      failure: { type: 'NamespaceCount', message: expect.stringContaining('2 namespaces') },
    });
  });

  it('cannot be changed in number by an operation that does not say so', async () => {
    const greedy = defineOperation({ name: 'greedy', runBatch: () => [{}, {}] });
    const { engine } = await stack(pipelineOf([{ name: 's', operations: [greedy] }]));

    await expect(engine.execute('p', {})).rejects.toMatchObject({
      failure: { message: expect.stringContaining('changesCount') },
    });
  });
});
