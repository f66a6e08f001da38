import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { csvSource } from '../../adapters/connector/file/csv-source.js';
import { sqlSink } from '../../adapters/connector/sql/sql-sink.js';
import type { Row } from '../../src/data-flow/row.js';
import { defineDataFlow } from '../../src/data-flow/data-flow.js';
import { retryable } from '../../src/pipeline/permanent.js';
import { listSink, listSource, numbered, useFlow } from '../support/flows.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';

const start = useFlow();
const folder = useTemporaryDirectory();
const FAST = { maximumAttempts: 3, initialInterval: 10 } as const;

describe('a run of a data flow', () => {
  it('moves every row of the source through the transform into the sink, batch by batch', async () => {
    const written: Row[] = [];
    const { name, flows, runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        source: listSource(() => numbered(1_050)),
        transform: ({ row }) => ({ double: Number(row['number']) * 2 }),
        sink: listSink(written),
      }),
    );
    const run = await runToEnd();
    expect(run).toMatchObject({
      status: 'success',
      trigger: 'manual',
      runSeq: 1,
      workflowId: `flow/${name}/1`,
      firstCursor: null,
      lastCursor: 1_050,
      errorMessage: null,
      counts: { read: 1_050, written: 1_050, rejected: 0, unpredictable: 1_050, batches: 6 },
    });
    expect(written).toEqual(numbered(1_050).map(({ number }) => ({ double: Number(number) * 2 })));
    const { record } = await flows.show(name);
    expect(record).toMatchObject({
      lastRunStatus: 'success',
      cursor: 1_050,
      lastRunAt: run.startedAt,
    });
  });

  it('goes on where the one before it left off, and takes nothing when there is nothing', async () => {
    const rows = [...numbered(3)];
    const written: Row[] = [];
    const { runToEnd } = await start((name) =>
      defineDataFlow({ name, source: listSource(() => rows), sink: listSink(written) }),
    );
    await runToEnd();
    rows.push({ number: 4 });
    expect(await runToEnd()).toMatchObject({
      runSeq: 2,
      firstCursor: 3,
      lastCursor: 4,
      counts: { read: 1 },
    });
    expect(await runToEnd()).toMatchObject({
      runSeq: 3,
      status: 'success',
      counts: { read: 0 },
    });
    expect(written.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  });

  it('records its plan, with the configuration that it began with', async () => {
    const seen: unknown[] = [];
    const { name, flows, runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        configuration: z.object({ upTo: z.int().default(2) }),
        source: ({ configuration }) => listSource(() => numbered(configuration.upTo)),
        transform: ({ row, configuration, trigger }) => {
          seen.push([configuration, trigger]);
          return row;
        },
        sink: listSink([]),
      }),
    );
    await flows.change(name, { configuration: { upTo: 1 } });
    const run = await runToEnd();
    expect(run.plan).toMatchObject({
      trigger: 'manual',
      configuration: { upTo: 1 },
      work: { kind: 'move', source: { class_name: 'list' } },
    });
    expect(seen).toEqual([[{ upTo: 1 }, 'manual']]);
  });

  it('makes of a row several or none, and counts what was left out', async () => {
    const written: Row[] = [];
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        source: listSource(() => numbered(4)),
        transform: ({ row }) =>
          row['number'] === 2 ? undefined : row['number'] === 3 ? [row, row] : row,
        sink: listSink(written),
      }),
    );
    const { counts } = await runToEnd();
    expect(counts).toMatchObject({ read: 4, written: 4, skipped: 1 });
    expect(written.map(({ number }) => number)).toEqual([1, 3, 3, 4]);
  });

  it('is told as events while it goes on, and afterwards from its history', async () => {
    const { name, flows, engine } = await start((name) =>
      defineDataFlow({ name, source: listSource(() => numbered(10)), sink: listSink([]) }),
    );
    const run = await flows.run(name);
    const events: { readonly type: string; readonly data: unknown }[] = [];
    const watched = engine.runWithId({ kind: 'flow', name, executionId: String(run.runSeq) });
    for await (const { type, data } of watched.events()) events.push({ type, data });
    expect(events).toEqual([
      { type: 'flow_started', data: { flow: name, run_seq: 1 } },
      {
        type: 'flow_progress',
        data: {
          batches: 1,
          rows_read: 10,
          rows_written: 10,
          rows_rejected: 0,
          rows_per_second: expect.any(Number),
          fraction: 1,
        },
      },
      {
        type: 'complete',
        data: { result: { run_seq: 1, rows_read: 10, rows_written: 10, rows_rejected: 0 } },
      },
    ]);
  });
});

describe('rows that are refused', () => {
  const rows = [{ id: '1' }, { id: 'two' }, { id: '3', bad: true }, { id: '4' }];

  it('are kept with their number and the reason, and the others are moved', async () => {
    const written: Row[] = [];
    const { flows, runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        source: listSource(() => rows),
        reads: z.object({ id: z.coerce.number(), bad: z.boolean().optional() }),
        transform: ({ row }) => {
          if (row.bad === true) throw new Error('this one is bad');
          // What types promise is not what comes out of JavaScript.
          return { id: row.id, big: (row.id > 3 ? 'yes' : 7) as string };
        },
        writes: z.object({ id: z.number(), big: z.string() }),
        sink: listSink(written),
      }),
    );
    const run = await runToEnd();
    expect(run).toMatchObject({ status: 'success', counts: { read: 4, written: 1, rejected: 3 } });
    expect(written).toEqual([{ id: 4, big: 'yes' }]);
    expect(await flows.rejections(run, { limit: 10 })).toMatchObject([
      { rowNumber: 1, phase: 'writes', reason: expect.stringContaining("'big' expected string") },
      {
        rowNumber: 2,
        phase: 'reads',
        reason: expect.stringContaining("'id' expected number"),
        row: { id: 'two' },
      },
      { rowNumber: 3, phase: 'transform', reason: 'this one is bad', row: { id: '3', bad: true } },
    ]);
  });

  it('fail the run when there are more than the limit, and the cursor stays before them', async () => {
    const written: Row[] = [];
    const { name, flows, runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        source: listSource(() => numbered(10)),
        batchSize: 4,
        maxRejected: 1,
        transform: ({ row }) => {
          if (Number(row['number']) > 4) throw new Error('no');
          return row;
        },
        sink: listSink(written),
      }),
    );
    const run = await runToEnd();
    expect(run).toMatchObject({
      status: 'failed',
      errorMessage: '4 rows were rejected; the most is 1 (maxRejected). Row 5: no',
      lastCursor: 4,
      counts: { read: 4, written: 4 },
    });
    expect(await flows.rejections(run, { limit: 10 })).toHaveLength(4);
    expect((await flows.show(name)).record).toMatchObject({ cursor: 4, lastRunStatus: 'failed' });
  });

  it('are kept as well when the file is broken there, or the database does not take them', async () => {
    await writeFile(join(folder.path, 'rows.csv'), 'id,name\n1,a\n2\n3,"b" c\n4,a\n5,e\n');
    const db = new Database(join(folder.path, 'out.db'));
    db.exec('CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE)');
    const { flows, engine, runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        source: csvSource({ path: join(folder.path, 'rows.csv') }),
        reads: z.object({ id: z.coerce.number(), name: z.string() }),
        sink: sqlSink({
          database: `sqlite:${join(folder.path, 'out.db')}`,
          table: 'people',
          key: ['id'],
        }),
      }),
    );
    const run = await runToEnd();
    expect(run).toMatchObject({ status: 'success', counts: { read: 5, rejected: 3, new: 2 } });
    expect(await flows.rejections(run, { limit: 10 })).toMatchObject([
      { rowNumber: 2, phase: 'source', reason: expect.stringContaining('line 3: '), row: '2' },
      { rowNumber: 3, phase: 'source', row: '3,"b" c' },
      { rowNumber: 4, phase: 'sink', reason: 'UNIQUE constraint failed: people.name' },
    ]);
    expect(db.prepare('SELECT id FROM people').pluck().all()).toEqual([1, 5]);
    db.close();
    // Nothing was tried again for it.
    const handle = engine.temporal.client.workflow.getHandle(run.workflowId);
    const { events } = await handle.fetchHistory();
    const failures = events?.filter((event) => Boolean(event.activityTaskFailedEventAttributes));
    expect(failures).toEqual([]);
  });

  it('are not to blame for an error that may pass: the batch is tried again', async () => {
    let calls = 0;
    const written: Row[] = [];
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        source: listSource(() => numbered(2)),
        retry: FAST,
        transform: ({ row }) => {
          calls += 1;
          if (calls === 2) throw retryable('the service is away', 20);
          return row;
        },
        sink: listSink(written),
      }),
    );
    expect(await runToEnd()).toMatchObject({
      status: 'success',
      counts: { read: 2, rejected: 0 },
    });
    expect(written).toHaveLength(2);
  });
});

describe('a flow with a run of its own', () => {
  it('saves its cursor and counts as it goes, and an attempt that follows goes on from there', async () => {
    const seen: unknown[] = [];
    const { runToEnd } = await start((name) =>
      defineDataFlow({
        name,
        retry: FAST,
        run: async ({ cursor, saveCursor, attempt }) => {
          seen.push(cursor);
          for (let page = Number(cursor ?? 0); page < 3; page += 1) {
            if (page === 2 && attempt === 1) throw new Error('crash');
            await saveCursor(page + 1, { read: 10, written: 9, rejected: 1 });
          }
        },
      }),
    );
    expect(await runToEnd()).toMatchObject({
      status: 'success',
      lastCursor: 3,
      counts: { read: 30, written: 27, rejected: 3, batches: 3 },
    });
    expect(seen).toEqual([undefined, 2]);
  });
});
