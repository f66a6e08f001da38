import { describe, expect, it } from '@jest/globals';
import { AssertionError } from 'node:assert';
import { z } from 'zod';
import { defineSource, type SourceBatch, type SourceContext } from '../../src/data-flow/source.js';
import { sourceChecks } from '../../testing/source-conformance.js';

const ROWS = Array.from({ length: 20 }, (_, id) => ({ id }));

/** Begins anew after its end, as an API does that cannot tell what is new. */
async function* anew({ cursor, ...context }: SourceContext<object>) {
  const [done, round] = (cursor ?? [0, 0]) as [number, number];
  const isOver = done >= ROWS.length;
  const from = isOver ? 0 : done;
  for await (const batch of right({ ...context, cursor: from }))
    yield { ...batch, cursor: [batch.cursor, isOver ? round + 1 : round] };
}

type Read = (context: SourceContext<object>) => AsyncGenerator<SourceBatch>;

async function* right({ cursor, batchSize, signal }: SourceContext<object>) {
  for (let from = Number(cursor ?? 0); from < ROWS.length; from += batchSize) {
    signal.throwIfAborted();
    yield { rows: ROWS.slice(from, from + batchSize), cursor: from + batchSize };
  }
}

async function failing(
  read: Read,
  how: { readonly again?: 'all' } = {},
): Promise<readonly string[]> {
  const source = defineSource({ name: 'numbers', options: z.object({}), read });
  const failed: string[] = [];
  for (const check of sourceChecks({
    source,
    setUp: () => ({ options: {}, rows: ROWS, ...how }),
  })) {
    await check.run().catch((error: unknown) => {
      expect(error).toBeInstanceOf(AssertionError);
      failed.push(check.name);
    });
  }
  return failed;
}

const wrong: readonly (readonly [string, Read, string])[] = [
  [
    'gives more rows than asked for',
    (context) => right({ ...context, batchSize: 2 * context.batchSize }),
    'batches of 7: gives all rows in order, none twice',
  ],
  [
    'loses a row when it goes on',
    (context) =>
      right({ ...context, cursor: context.cursor === undefined ? 0 : Number(context.cursor) + 1 }),
    'batches of 7: each cursor gives exactly the rest',
  ],
  [
    'repeats a row when it goes on',
    (context) => right({ ...context, cursor: Math.max(0, Number(context.cursor ?? 0) - 1) }),
    'batches of 1: read to its end and again it gives nothing, or all with other cursors',
  ],
  [
    'has the same cursor for each batch',
    async function* (context) {
      for await (const { rows } of right(context)) yield { rows, cursor: 0 };
    },
    'batches of 1: each batch with rows has another cursor, which JSON can carry',
  ],
  [
    'has cursors that JSON changes',
    async function* (context) {
      const cursor = Number(context.cursor ?? 0);
      for await (const one of right({ ...context, cursor }))
        yield { ...one, cursor: new Date(one.cursor) as never };
    },
    'batches of 1: each batch with rows has another cursor, which JSON can carry',
  ],
  [
    'does not care for the signal',
    (context) => right({ ...context, signal: new AbortController().signal }),
    'an aborted signal ends the reading',
  ],
];

describe('sourceChecks', () => {
  it('pass for a source that does everything right', async () => {
    expect(await failing(right)).toEqual([]);
  });

  it('pass for a source that begins anew after its end, where it says so', async () => {
    expect(await failing(anew, { again: 'all' })).toEqual([]);
    expect(await failing(anew)).not.toEqual([]);
  });

  it('catch a source that begins anew with the cursors that it had', async () => {
    const same: Read = async function* (context) {
      const cursor = Number(context.cursor ?? 0) % ROWS.length;
      yield* right({ ...context, cursor });
    };
    expect(await failing(same, { again: 'all' })).toContain(
      'batches of 200: read to its end and again it gives nothing, or all with other cursors',
    );
  });

  it.each(wrong)('catch a source that %s', async (_name, read, check) => {
    expect(await failing(read)).toContain(check);
  });
});
