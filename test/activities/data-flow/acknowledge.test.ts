import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSource, type SourceUse } from '../../../src/data-flow/source.js';
import { useFlowActivities } from '../../support/flow-activities.js';
import { refusing } from './refusing.js';

const prepare = useFlowActivities();

/** Two batches of a source that notes what was taken of them. */
function noting(taken: (readonly Row[])[], fails: () => boolean = () => false): SourceUse {
  const source = defineSource({
    name: 'noting',
    options: z.strictObject({}),
    async *read({ cursor }) {
      const note = async (rows: readonly Row[]): Promise<void> => {
        if (fails()) throw new Error('the note was not taken');
        taken.push(rows);
      };
      if (cursor === undefined)
        yield {
          rows: [{ number: 2 }, { number: 'three' }, { number: 4 }, { number: 5 }],
          rejected: [{ at: 0, reason: 'broken', row: 'one' }],
          cursor: 1,
          acknowledge: note,
        };
      if (cursor !== 2) yield { rows: [{ number: 6 }], cursor: 2, acknowledge: note };
    },
  });
  return source({});
}

describe('a source that notes what was taken', () => {
  it('is told of each batch the rows that nothing has rejected', async () => {
    const taken: (readonly Row[])[] = [];
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'noted',
        source: noting(taken),
        reads: z.object({ number: z.number() }),
        transform: ({ row }) => (row.number === 5 ? undefined : row),
        sink: refusing([4]),
      }),
    );
    await flow.attempt(await flow.begin()).ended;
    // What a transform leaves out on purpose is taken, too.
    expect(taken).toEqual([[{ number: 2 }, { number: 5 }], [{ number: 6 }]]);
  });

  it('is not told when the cursor has not passed the batch', async () => {
    const taken: (readonly Row[])[] = [];
    const flow = await prepare(() =>
      defineDataFlow({ name: 'unsafe', source: noting(taken), sink: refusing([]) }),
    );
    const task = await flow.begin();
    // A catalog that takes a run over, and then moves no batch.
    const advance: typeof flow.catalog.advance = async (ref, move) =>
      move.to.cursor === null && flow.catalog.advance(ref, move);
    await expect(flow.attempt(task, { advance }).ended).rejects.toThrow(/unsafe/);
    expect(taken).toEqual([]);
  });

  it('has the batch behind it when its note fails, and the attempt after it goes on', async () => {
    const taken: (readonly Row[])[] = [];
    let failures = 1;
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'forgetful',
        source: noting(taken, () => failures-- > 0),
        sink: refusing([]),
      }),
    );
    const task = await flow.begin();
    await expect(flow.attempt(task).ended).rejects.toThrow('the note was not taken');
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts: { read: 6 } });
    expect(taken).toEqual([[{ number: 6 }]]);
  });
});
