import { describe, expect, it } from '@jest/globals';
import { AssertionError } from 'node:assert';
import { z } from 'zod';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import { RowsRefused, type RefusedRow } from '../../src/data-flow/refusal.js';
import type { Row } from '../../src/data-flow/row.js';
import { defineSink, type OpenSink, type SinkContext } from '../../src/data-flow/sink.js';
import { sinkChecks } from '../../testing/sink-conformance.js';

/** A sink in memory that keeps its position. */
interface Memory {
  rows: Row[];
  /** Of another place. */
  other: Row[];
  flowId?: string;
  /** Steps of which it has a batch. */
  readonly taken: Set<number>;
  position: FlowPosition | undefined;
}

const NOTHING = { new: 0, updated: 0, redundant: 0, unpredictable: 0 };

type Context = SinkContext<{ readonly place: 'rows' | 'other' }>;
type Open = (memory: Memory, context: Context) => OpenSink;

const right: Open = (memory, { runSeq, flow, flowId, options }) => ({
  write: async ({ rows, step, next }) => {
    const { position } = memory;
    if (position?.runSeq !== runSeq || position.step !== step || memory.flowId !== flowId)
      throw new FenceLost(flow, runSeq);
    const refused = refusedOf(rows);
    if (refused.length > 0) throw new RowsRefused(refused);
    memory[options.place].push(...rows);
    const written = { new: 0, updated: 0, redundant: 0, unpredictable: rows.length };
    memory.position = next(written);
    return { written };
  },
  takeOver: async (known) => {
    const stored = memory.flowId === flowId ? memory.position : undefined;
    memory.flowId = flowId;
    if (stored !== undefined && stored.runSeq > runSeq) throw new FenceLost(flow, runSeq);
    const base = stored === undefined || stored.runSeq < known.runSeq ? known : stored;
    const counts = stored?.runSeq === runSeq ? stored.counts : known.counts;
    memory.position = { ...base, runSeq, counts };
    return memory.position;
  },
});

function refusedOf(rows: readonly Row[]): readonly RefusedRow[] {
  return rows.flatMap(({ bad }, at) => (bad === true ? [{ at, reason: 'it is bad' }] : []));
}

async function failing(open: Open): Promise<readonly string[]> {
  let memory: Memory;
  const sink = defineSink({
    name: 'memory',
    options: z.object({ place: z.enum(['rows', 'other']).default('rows') }),
    open: (context) => open(memory, context),
  });
  const checks = sinkChecks({
    sink,
    setUp: () => {
      memory = { rows: [], other: [{ number: 99 }], taken: new Set(), position: undefined };
      const other = { options: { place: 'other' }, content: () => memory.other };
      return { options: {}, content: () => memory.rows, other };
    },
    row: (number) => ({ number }),
    refused: (number) => ({ number, bad: true }),
    once: true,
  });
  const failed: string[] = [];
  for (const check of checks) {
    await check.run().catch((error: unknown) => {
      expect(error).toBeInstanceOf(AssertionError);
      failed.push(check.name);
    });
  }
  return failed;
}

const wrong: readonly (readonly [string, Open, string])[] = [
  [
    'loses a row',
    (memory, context) => ({
      ...right(memory, context),
      write: (batch) => right(memory, context).write({ ...batch, rows: batch.rows.slice(1) }),
    }),
    'rows arrive, and counts add up to their number',
  ],
  [
    'counts wrong',
    (memory, context) => ({
      ...right(memory, context),
      write: async (batch) => {
        const { written } = await right(memory, context).write(batch);
        return { written: { ...written, new: 1 } };
      },
    }),
    'an empty batch is taken',
  ],
  [
    'writes a batch twice',
    (memory) => ({
      write: async ({ rows }) => {
        memory.rows.push(...rows);
        return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
      },
    }),
    'a batch whose receipt was lost is not there twice',
  ],
  [
    'lets an older run write',
    (memory, context) => ({
      ...right(memory, context),
      write: (batch) =>
        right(memory, { ...context, runSeq: memory.position?.runSeq ?? 0 }).write({
          ...batch,
          step: memory.position?.step ?? 0,
        }),
    }),
    'a later run fences an earlier one out, where it keeps the position',
  ],
  [
    'takes a batch that has grown for the one that it has',
    (memory) => {
      return {
        write: async ({ rows, step }) => {
          if (!memory.taken.has(step)) memory.rows.push(...rows);
          memory.taken.add(step);
          return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
        },
      };
    },
    'a batch that comes again with more rows loses none of them',
  ],
  [
    'fences a catalog out that is begun anew',
    (memory, context) => right(memory, { ...context, flowId: 'always the same' }),
    'a flow of a catalog that is begun anew is written',
  ],
  [
    'does not care for other options',
    (memory, context) => right(memory, { ...context, options: { place: 'rows' } }),
    'with other options it writes to the other place, and leaves the first alone',
  ],
  [
    'has the step of the catalog that it is ahead of',
    (memory, context) => ({
      ...right(memory, context),
      takeOver: async (known) => {
        const position = (await right(memory, context).takeOver?.(known)) ?? known;
        return (memory.position = { ...position, step: known.step });
      },
    }),
    'a position that is ahead of the catalog has another step',
  ],
  [
    'forgets its position',
    (memory, context) => ({
      ...right(memory, context),
      takeOver: async (known) => {
        memory.flowId = context.flowId;
        return (memory.position = { ...known, runSeq: context.runSeq });
      },
    }),
    'it gives back the position that it keeps',
  ],
  [
    'tells only the first row that it refuses',
    (memory, context) => ({
      ...right(memory, context),
      write: async (batch) => {
        const [first] = refusedOf(batch.rows);
        if (first !== undefined) throw new RowsRefused([first]);
        return right(memory, context).write(batch);
      },
    }),
    'it tells all rows that it refuses, and takes the others',
  ],
  [
    'writes the others of a batch that it refuses',
    (memory, context) => ({
      ...right(memory, context),
      write: async (batch) => {
        if (refusedOf(batch.rows).length > 0)
          memory.rows.push(...batch.rows.filter(({ bad }) => bad !== true));
        return right(memory, context).write(batch);
      },
    }),
    'it tells all rows that it refuses, and takes the others',
  ],
  [
    'moves on with a batch that it refuses',
    (memory, context) => ({
      ...right(memory, context),
      write: async (batch) => {
        if (refusedOf(batch.rows).length > 0) memory.position = batch.next(NOTHING);
        return right(memory, context).write(batch);
      },
    }),
    'a batch of which it refuses every row is refused whole',
  ],
  [
    'ends with another error where a row is at fault',
    (memory, context) => ({
      ...right(memory, context),
      write: async (batch) => {
        if (refusedOf(batch.rows).length > 0) throw new Error('bad');
        return right(memory, context).write(batch);
      },
    }),
    'a batch of which it refuses every row is refused whole',
  ],
];

describe('sinkChecks', () => {
  it('pass for a sink that does everything right', async () => {
    expect(await failing(right)).toEqual([]);
  });

  it.each(wrong)('catch a sink that %s', async (_name, open, check) => {
    expect(await failing(open)).toContain(check);
  });
});
