import { describe, expect, it } from '@jest/globals';
import { AssertionError } from 'node:assert';
import { z } from 'zod';
import { FenceLost, type FlowPosition } from '../../src/data-flow/position.js';
import type { Row } from '../../src/data-flow/row.js';
import { defineSink, type OpenSink, type SinkContext } from '../../src/data-flow/sink.js';
import { sinkChecks } from '../../testing/sink-conformance.js';

/** A sink in memory that keeps its position. */
interface Memory {
  rows: Row[];
  position: FlowPosition | undefined;
}

type Open = (memory: Memory, context: SinkContext<object>) => OpenSink;

const right: Open = (memory, { runSeq, flow }) => ({
  write: async ({ rows, step, next }) => {
    if (memory.position?.runSeq !== runSeq || memory.position.step !== step)
      throw new FenceLost(flow, runSeq);
    memory.rows.push(...rows);
    const written = { new: 0, updated: 0, redundant: 0, unpredictable: rows.length };
    memory.position = next(written);
    return { written };
  },
  takeOver: async (known) => {
    const stored = memory.position;
    if (stored !== undefined && stored.runSeq > runSeq) throw new FenceLost(flow, runSeq);
    const base = stored === undefined || stored.runSeq < known.runSeq ? known : stored;
    const counts = stored?.runSeq === runSeq ? stored.counts : known.counts;
    memory.position = { ...base, runSeq, counts };
    return memory.position;
  },
});

async function failing(open: Open): Promise<readonly string[]> {
  let memory: Memory = { rows: [], position: undefined };
  const sink = defineSink({
    name: 'memory',
    options: z.object({}),
    open: (context) => open(memory, context),
  });
  const checks = sinkChecks({
    sink,
    setUp: () => {
      memory = { rows: [], position: undefined };
      return { options: {}, content: () => memory.rows };
    },
    row: (number) => ({ number }),
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
    'forgets its position',
    (memory, context) => ({
      ...right(memory, context),
      takeOver: async (known) => (memory.position = { ...known, runSeq: context.runSeq }),
    }),
    'it gives back the position that it keeps',
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
