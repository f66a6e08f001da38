import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { sqlSink } from '../../../adapters/connector/sql/sql-sink.js';
import type { DataFlowCatalog } from '../../../src/data-flow/catalog.js';
import { defineDataFlow } from '../../../src/data-flow/data-flow.js';
import { RowsRefused } from '../../../src/data-flow/refusal.js';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSink } from '../../../src/data-flow/sink.js';
import { useFlowActivities } from '../../support/flow-activities.js';
import { listSource, numbered } from '../../support/flows.js';
import { describePostgres, execute, usePostgresDatabase } from '../../support/postgres.js';
import { intoTable, numbersIn, refusing, rejections, TABLE, table } from './refusing.js';

const prepare = useFlowActivities();

describe('rows that the sink refuses', () => {
  it('are kept with the number of the row that they were made of, and the others are written', async () => {
    const flow = await prepare(
      (dir) =>
        defineDataFlow({
          name: 'multiplying',
          batchSize: 5,
          source: listSource(() => numbered(12)),
          // 1: 1, 10; 2: none; 3: refused; 4: rejected; 5: 5, 50; 6: none; 7: 7, and 3, which is refused; 8: 8, 80, ...
          transform: ({ row }) => {
            const number = Number(row['number']);
            if (number === 4) throw new Error('not four');
            if (number % 4 === 2) return undefined;
            if (number === 7) return [{ number }, { number: 3 }];
            return number === 3 ? row : [{ number }, { number: number * 10 }];
          },
          sink: intoTable(dir),
        }),
      table,
    );
    const task = await flow.begin();
    expect(await flow.attempt(task).ended).toMatchObject({
      done: true,
      counts: { read: 12, rejected: 3, skipped: 3, written: 12, batches: 3 },
    });
    expect(numbersIn(flow.dir)).toEqual([1, 5, 8, 9, 10, 11, 12, 50, 80, 90, 110, 120]);
    expect(await rejections(flow, task)).toEqual([
      [3, 'sink', { number: 3 }],
      [4, 'transform', { number: 4 }],
      [7, 'sink', { number: 7 }],
    ]);
    expect(await flow.run(task)).toMatchObject({ counts: { read: 12, rejected: 3 } });
  });

  it('are kept with their reason, without a transform as well, and by a sink that keeps no position', async () => {
    const written: Row[] = [];
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'plain',
        batchSize: 4,
        source: listSource(() => numbered(10)),
        sink: refusing([2, 3, 9], [], written),
      }),
    );
    const task = await flow.begin();
    const counts = { read: 10, rejected: 3, written: 7, batches: 3 };
    expect(await flow.attempt(task).ended).toMatchObject({ counts });
    expect(written.map(({ number }) => number)).toEqual([1, 4, 5, 6, 7, 8, 10]);
    expect(await flow.catalog.rejections(task, { limit: 10 })).toMatchObject([
      { rowNumber: 2, phase: 'sink', reason: 'not 2', row: { number: 2 } },
      { rowNumber: 3, phase: 'sink', reason: 'not 3' },
      { rowNumber: 9, phase: 'sink', reason: 'not 9' },
    ]);
  });

  it.each([
    ['keeps the position', intoTable],
    ['does not', () => refusing([3, 4])],
  ])('may be all of a batch, which the flow passes, where the sink %s', async (_name, sink) => {
    const flow = await prepare(
      (dir) =>
        defineDataFlow({
          name: 'whole',
          batchSize: 2,
          source: listSource(() => [1, 2, 3, 4, 5].map((number) => ({ number }))),
          sink: sink(dir),
        }),
      table,
    );
    const task = await flow.begin();
    const counts = { read: 5, rejected: 2, written: 3, batches: 3 };
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts });
    expect(await flow.run(task)).toMatchObject({ lastCursor: 5, counts });
  });

  it.each([
    ['keeps the position', intoTable],
    ['does not', () => refusing([3, 4])],
  ])('end the run when there are too many, where the sink %s', async (_name, sink) => {
    const flow = await prepare(
      (dir) =>
        defineDataFlow({
          name: 'too-many',
          batchSize: 3,
          maxRejected: 1,
          source: listSource(() => numbered(5)),
          reads: z.object({ number: z.number() }),
          sink: sink(dir),
        }),
      table,
    );
    const task = await flow.begin();
    await expect(flow.attempt(task).ended).rejects.toMatchObject({
      type: 'TooManyRejected',
      message: expect.stringMatching(
        /^2 rows were rejected; the most is 1 \(maxRejected\)\. Row 4: /,
      ),
    });
    // Without the batch in which it was too many.
    const run = await flow.run(task);
    expect(run).toMatchObject({ lastCursor: 3, counts: { read: 3, written: 2, rejected: 2 } });
    expect(await rejections(flow, task)).toEqual([
      [3, 'sink', { number: 3 }],
      [4, 'sink', { number: 4 }],
    ]);
  });

  it('are no more than one for a sink to look for, when one is too many', async () => {
    const left: number[] = [];
    const sink = defineSink({
      name: 'counting',
      options: z.strictObject({}),
      open: () => ({
        write: async ({ rows, refusalsLeft }) => {
          left.push(refusalsLeft);
          if (rows.length > 1) throw new RowsRefused([{ at: 0, reason: 'the first' }]);
          return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
        },
      }),
    });
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'left',
        maxRejected: 4,
        source: listSource(() => numbered(4)),
        sink: sink({}),
      }),
    );
    await flow.attempt(await flow.begin()).ended;
    expect(left).toEqual([4, 3, 2, 1]);
  });

  it('leave another batch behind, which has another key than without other rows', async () => {
    const keysOf = async (bad: readonly number[]): Promise<readonly string[]> => {
      const keys: string[] = [];
      const flow = await prepare(() =>
        defineDataFlow({
          name: 'keys',
          source: listSource(() => numbered(3)),
          sink: refusing(bad, keys),
        }),
      );
      await flow.attempt(await flow.begin()).ended;
      // What is before it is the id of the flow, which each has of its own.
      return keys.map((key) => key.split('/')[1] ?? '');
    };
    const [whole, withoutTwo] = await keysOf([2]);
    const [again, withoutThree] = await keysOf([3]);
    expect(again).toBe(whole);
    expect(await keysOf([2])).toEqual([whole, withoutTwo]);
    expect(new Set([whole, withoutTwo, withoutThree]).size).toBe(3);
  });

  it.each([
    [
      'one that is not there',
      [
        { at: 0, reason: 'x' },
        { at: 3, reason: 'x' },
      ],
    ],
    ['none', []],
  ])('have to be rows of the batch: %s is an error', async (_name, refused) => {
    const sink = defineSink({
      name: 'wrong',
      options: z.strictObject({}),
      open: () => ({ write: () => Promise.reject(new RowsRefused(refused)) }),
    });
    const flow = await prepare(() =>
      defineDataFlow({ name: 'wrong', source: listSource(() => numbered(3)), sink: sink({}) }),
    );
    const task = await flow.begin();
    await expect(flow.attempt(task).ended).rejects.toMatchObject({
      type: 'InvalidRejection',
      nonRetryable: true,
    });
    expect(await rejections(flow, task)).toEqual([]);
  });
});

describe('an attempt that ends between keeping refused rows and passing them', () => {
  const FLOW = (dir: string) =>
    defineDataFlow({
      name: 'killed',
      batchSize: 3,
      source: listSource(() => numbered(8)),
      sink: intoTable(dir),
    });
  const KEPT = [
    [3, 'sink', { number: 3 }],
    [4, 'sink', { number: 4 }],
  ];
  const counts = { read: 8, rejected: 2, written: 6, batches: 3 };

  it('has written nothing of their batch, and the next one does so once', async () => {
    const flow = await prepare(FLOW, table);
    const task = await flow.begin();
    const keepRejections: DataFlowCatalog['keepRejections'] = async (...given) => {
      await flow.catalog.keepRejections(...given);
      throw new Error('killed');
    };
    await expect(flow.attempt(task, { keepRejections }).ended).rejects.toThrow('killed');
    expect(numbersIn(flow.dir)).toEqual([]);
    expect(await rejections(flow, task)).toEqual(KEPT.slice(0, 1));
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts });
    expect(numbersIn(flow.dir)).toEqual([1, 2, 5, 6, 7, 8]);
    expect(await rejections(flow, task)).toEqual(KEPT);
    expect(await flow.run(task)).toMatchObject({ counts });
  });

  it('or before the catalog knew of it, is gone on with from what the sink has', async () => {
    const flow = await prepare(FLOW, table);
    const task = await flow.begin();
    const advance: DataFlowCatalog['advance'] = async (ref, move) => {
      if (move.from === undefined) throw new Error('killed');
      return flow.catalog.advance(ref, move);
    };
    await expect(flow.attempt(task, { advance }).ended).rejects.toThrow('killed');
    expect(await flow.run(task)).toMatchObject({ counts: { read: 0, rejected: 2 } });
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts });
    expect(numbersIn(flow.dir)).toEqual([1, 2, 5, 6, 7, 8]);
    expect(await rejections(flow, task)).toEqual(KEPT);
    expect(await flow.run(task)).toMatchObject({ lastCursor: 8, counts });
  });

  it('keeps neither rows nor position of a sink without one, and the next one both', async () => {
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'killed',
        batchSize: 3,
        source: listSource(() => numbered(8)),
        sink: refusing([3, 4]),
      }),
    );
    const task = await flow.begin();
    let advances = 0;
    const advance: DataFlowCatalog['advance'] = async (ref, move) => {
      advances += 1;
      // The first one takes the flow over.
      if (advances === 2) throw new Error('killed');
      return flow.catalog.advance(ref, move);
    };
    await expect(flow.attempt(task, { advance }).ended).rejects.toThrow('killed');
    expect(await rejections(flow, task)).toEqual([]);
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts });
    expect(await rejections(flow, task)).toEqual(KEPT);
  });
});

describePostgres('rows that PostgreSQL refuses', () => {
  const database = usePostgresDatabase();

  it('are kept, NUL and all, and every other row is written once, whoever is killed', async () => {
    await execute(database.url, TABLE.replace(')))', ')), name text)'));
    const rows = Array.from({ length: 20 }, (_, at) => ({
      number: at + 1,
      name: at === 10 ? 'a\0b' : 'x',
    }));
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'postgres',
        batchSize: 6,
        source: listSource(() => [...rows, { number: 20, name: 'again' }]),
        sink: sqlSink({ database: database.url, table: 't' }),
      }),
    );
    const task = await flow.begin();
    let calls = 0;
    const keepRejections: DataFlowCatalog['keepRejections'] = async (...given) => {
      await flow.catalog.keepRejections(...given);
      calls += 1;
      if (calls === 2) throw new Error('killed');
    };
    await expect(flow.attempt(task, { keepRejections }).ended).rejects.toThrow('killed');
    const counts = { read: 21, rejected: 4, written: 17, batches: 4 };
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const found = await client.query<{ number: number }>('SELECT number FROM t ORDER BY 1');
    await client.end();
    const written = rows.map(({ number }) => number).filter((n) => ![3, 4, 11].includes(n));
    expect(found.rows.map(({ number }) => number)).toEqual(written);
    expect(await rejections(flow, task)).toEqual([
      [3, 'sink', rows[2]],
      [4, 'sink', rows[3]],
      [11, 'sink', rows[10]],
      [21, 'sink', { number: 20, name: 'again' }],
    ]);
  });
});
