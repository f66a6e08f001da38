import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { csvSource } from '../../../adapters/connector/file/csv-source.js';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSource, type SourceUse, type UnreadableRow } from '../../../src/data-flow/source.js';
import { useFlowActivities } from '../../support/flow-activities.js';
import { numbered } from '../../support/flows.js';
import { intoTable, numbersIn, refusing, rejections, table } from './refusing.js';

const prepare = useFlowActivities();

/** A source of one batch. */
function broken(rows: readonly Row[], rejected: readonly UnreadableRow[]): SourceUse {
  const source = defineSource({
    name: 'broken',
    options: z.strictObject({}),
    async *read({ cursor }) {
      if (cursor === undefined) yield { rows, rejected, cursor: 1 };
    },
  });
  return source({});
}

describe('what a source cannot read', () => {
  it('counts as read and is kept, and all rows have the numbers of their places', async () => {
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'mixed',
        source: broken(
          [{ number: 2 }, { number: 4 }, { number: 'five' }, { number: 6 }],
          [
            { at: 2, reason: 'line 3: broken', row: 'third' },
            { at: 0, reason: 'line 1: broken', row: 'first' },
            { at: 6, reason: 'line 7: broken', row: undefined },
          ],
        ),
        reads: z.object({ number: z.number() }),
        sink: refusing([6, 2]),
      }),
    );
    const task = await flow.begin();
    const counts = { read: 7, rejected: 6, written: 1, batches: 1 };
    expect(await flow.attempt(task).ended).toMatchObject({ counts });
    expect(await rejections(flow, task)).toEqual([
      [1, 'source', 'first'],
      [2, 'sink', { number: 2 }],
      [3, 'source', 'third'],
      [5, 'reads', { number: 'five' }],
      [6, 'sink', { number: 6 }],
      [7, 'source', null],
    ]);
  });

  it('of a CSV file is passed, to where the next run goes on', async () => {
    const flow = await prepare(
      (dir) =>
        defineDataFlow({
          name: 'file',
          batchSize: 2,
          source: csvSource({ path: 'rows.csv' }),
          reads: z.object({ number: z.coerce.number() }),
          sink: intoTable(dir),
        }),
      async (dir) => {
        await table(dir);
        await writeFile(join(dir, 'rows.csv'), 'number\n1\n2,2\n3\n5" pipe\nsix\n7\n');
      },
    );
    const first = await flow.begin();
    const counts = { read: 6, rejected: 4, written: 2 };
    expect(await flow.attempt(first).ended).toMatchObject({ done: true, counts });
    expect(await rejections(flow, first)).toEqual([
      [2, 'source', '2,2'],
      [3, 'sink', { number: '3' }],
      [4, 'source', '5" pipe'],
      [5, 'reads', { number: 'six' }],
    ]);
    await flow.catalog.end(first, { status: 'success', now: new Date() });
    const second = await flow.begin();
    expect(await flow.attempt(second).ended).toMatchObject({ counts: { read: 0 } });
    expect(numbersIn(flow.dir)).toEqual([1, 7]);
  });

  it('is kept up to a limit, and so is its reason', async () => {
    const text = 'x"'.repeat(100_000);
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'long',
        source: broken([], [{ at: 0, reason: 'why'.repeat(5_000), row: text }]),
        sink: refusing([]),
      }),
    );
    const task = await flow.begin();
    await flow.attempt(task).ended;
    const [kept] = await flow.catalog.rejections(task, { limit: 1 });
    expect(kept?.row).toEqual({ truncated: text.slice(0, 64 * 1024) });
    expect(kept?.reason).toHaveLength(4_001);
  });

  it('ends the run when there is too much of it', async () => {
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'too-much',
        maxRejected: 1,
        source: broken(
          [],
          [0, 1].map((at) => ({ at, reason: `line ${String(at)}`, row: 'x' })),
        ),
        sink: refusing([]),
      }),
    );
    await expect(flow.attempt(await flow.begin()).ended).rejects.toMatchObject({
      type: 'TooManyRejected',
      message: '2 rows were rejected; the most is 1 (maxRejected). Row 1: line 0',
    });
  });

  it.each([
    ['outside of the batch', [3]],
    ['at the place of another', [1, 1]],
    ['nowhere', [0.5]],
  ])('is an error where it is %s', async (_name, places) => {
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'misplaced',
        source: broken(
          numbered(1),
          places.map((at) => ({ at, reason: 'x', row: 'x' })),
        ),
        sink: refusing([]),
      }),
    );
    await expect(flow.attempt(await flow.begin()).ended).rejects.toMatchObject({
      type: 'InvalidRejection',
    });
  });
});
