import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { z } from 'zod';
import { csvSink } from '../../../adapters/connector/file/csv-sink.js';
import { ndjsonSink } from '../../../adapters/connector/file/ndjson-sink.js';
import { sqlSink } from '../../../adapters/connector/sql/sql-sink.js';
import { defineDataFlow, type DataFlow } from '../../../src/data-flow/data-flow.js';
import type { Row } from '../../../src/data-flow/row.js';
import type { MoveTask } from '../../../src/data-flow/run.js';
import { defineSink, type SinkUse } from '../../../src/data-flow/sink.js';
import { useFlowActivities, type FlowActivities } from '../../support/flow-activities.js';
import { listSink, listSource, numbered } from '../../support/flows.js';
import { gate, type Gate } from '../../support/gate.js';
import { describePostgres, usePostgresDatabase } from '../../support/postgres.js';

const prepare = useFlowActivities();

const ROWS = 10;
const BATCH = 2;

/** A flow whose attempts, by their order, wait at gates before they read a row: `{ 0: [5, gate] }`. */
function gated(
  sink: (dir: string) => SinkUse,
  gates: Readonly<Record<number, readonly [from: number, gate: Gate]>>,
): (dir: string) => DataFlow {
  // Each attempt has a signal of its own.
  const attempts: AbortSignal[] = [];
  return (dir) =>
    defineDataFlow({
      name: 'gated',
      batchSize: BATCH,
      source: listSource(
        () => numbered(ROWS),
        (place, signal) => {
          if (!attempts.includes(signal)) attempts.push(signal);
          const [from, at] = gates[attempts.indexOf(signal)] ?? [];
          return place === from ? at?.pass() : undefined;
        },
      ),
      sink: sink(dir),
    });
}

const FENCE_LOST = { type: 'FenceLost', nonRetryable: false };
const ALL = numbered(ROWS).map(({ number }) => number);

/** A run whose first attempt was taken for lost, and writes when its retry is further: which moves all rows. */
async function overtaken(
  sink: (dir: string) => SinkUse,
): Promise<{ readonly flow: FlowActivities; readonly task: MoveTask }> {
  const [slow, middle] = [gate(), gate()];
  const flow = await prepare(gated(sink, { 0: [4, slow], 1: [8, middle] }));
  const task = await flow.begin();
  const zombie = flow.attempt(task);
  await slow.reached;
  const retry = flow.attempt(task);
  await middle.reached;
  slow.open();
  await expect(zombie.ended).rejects.toMatchObject(FENCE_LOST);
  middle.open();
  expect(await retry.ended).toMatchObject({ done: true, counts: { read: ROWS, written: ROWS } });
  return { flow, task };
}

describe('an attempt that was taken for lost and goes on beside its retry', () => {
  it.each([
    [
      'ndjson',
      (): SinkUse => ndjsonSink({ path: 'out' }),
      (n: unknown) => `{"number":${String(n)}}\n`,
      '',
    ],
    ['csv', (): SinkUse => csvSink({ path: 'out' }), (n: unknown) => `${String(n)}\n`, 'number\n'],
  ])('changes nothing in a file of %s, whoever is faster', async (_name, sink, line, header) => {
    const { flow, task } = await overtaken(sink);
    const text = await readFile(join(flow.dir, 'out'), 'utf8');
    expect(text).toBe(header + ALL.map(line).join(''));
    expect(await flow.run(task)).toMatchObject({
      lastCursor: ROWS,
      counts: { read: ROWS, written: ROWS, batches: ROWS / BATCH },
    });
  });

  it('and commits while its retry looks where the flow is, loses nothing of the file', async () => {
    const slow = gate();
    const flow = await prepare(gated(() => ndjsonSink({ path: 'out' }), { 0: [4, slow] }));
    const task = await flow.begin();
    const zombie = flow.attempt(task);
    await slow.reached;
    let looks = 0;
    const retry = flow.attempt(task, {
      position: async (ref) => {
        const found = await flow.catalog.position(ref);
        looks += 1;
        if (looks > 1) return found;
        slow.open();
        // To its end: all that it writes is there when the retry opens the file.
        await zombie.ended;
        return found;
      },
    });
    expect(await retry.ended).toMatchObject({ done: true, counts: { read: ROWS, written: ROWS } });
    const lines = (await readFile(join(flow.dir, 'out'), 'utf8')).trim().split('\n');
    expect(lines.map((text) => (JSON.parse(text) as Row)['number'])).toEqual(ALL);
  });

  it('writes its batch into a plain sink at most once more, and moves the flow no further', async () => {
    const slow = gate();
    const written: Row[] = [];
    const flow = await prepare(gated(() => listSink(written), { 0: [4, slow] }));
    const task = await flow.begin();
    const zombie = flow.attempt(task);
    await slow.reached;
    expect(await flow.attempt(task).ended).toMatchObject({ done: true });
    slow.open();
    await expect(zombie.ended).rejects.toMatchObject(FENCE_LOST);
    expect(new Set(written.map(({ number }) => number))).toEqual(new Set(ALL));
    expect(written).toHaveLength(ROWS + BATCH);
    expect(await flow.run(task)).toMatchObject({ counts: { read: ROWS, written: ROWS } });
  });

  it('of a body cannot save its cursor any more', async () => {
    const slow = gate();
    let attempts = 0;
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'body',
        run: async ({ cursor, saveCursor }) => {
          attempts += 1;
          const isFirst = attempts === 1;
          for (let page = Number(cursor ?? 0); page < 3; page += 1) {
            if (isFirst && page === 1) await slow.pass();
            await saveCursor(page + 1, { read: 1 });
          }
        },
      }),
    );
    const task = await flow.begin();
    const zombie = flow.attempt(task);
    await slow.reached;
    // Nothing saved, and yet the one before is out.
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts: { read: 3 } });
    slow.open();
    await expect(zombie.ended).rejects.toMatchObject(FENCE_LOST);
    expect(await flow.run(task)).toMatchObject({ lastCursor: 3, counts: { read: 3 } });
  });

  it('does nothing to a later run either, once its own was closed from outside', async () => {
    const slow = gate();
    const flow = await prepare(
      gated(
        (dir) => sqlSink({ database: `sqlite:${join(dir, 'out.db')}`, table: 't', create: true }),
        {
          0: [4, slow],
        },
      ),
    );
    const first = await flow.begin();
    const zombie = flow.attempt(first);
    await slow.reached;
    await flow.catalog.end(first, { status: 'failed', now: new Date() });
    const second = await flow.begin();
    expect(await flow.attempt(second).ended).toMatchObject({ counts: { read: ROWS - 4 } });
    slow.open();
    await expect(zombie.ended).rejects.toMatchObject(FENCE_LOST);
    expect(await flow.run(first)).toMatchObject({ status: 'failed', endedAt: expect.any(Date) });
    const table = new Sqlite(join(flow.dir, 'out.db')).prepare('SELECT number FROM t ORDER BY 1');
    expect(table.pluck().all()).toEqual(ALL);
  });

  it('doubles no row of a SQLite table without a key', async () => {
    const { flow, task } = await overtaken((dir) =>
      sqlSink({ database: `sqlite:${join(dir, 'out.db')}`, table: 't', create: true }),
    );
    const table = new Sqlite(join(flow.dir, 'out.db')).prepare('SELECT number FROM t ORDER BY 1');
    expect(table.pluck().all()).toEqual(ALL);
    expect(await flow.run(task)).toMatchObject({ lastCursor: ROWS, counts: { written: ROWS } });
  });

  it('ends when it is cancelled, and leaves a batch that never ends to itself', async () => {
    const stuck = gate();
    const flow = await prepare(gated(() => listSink([]), { 0: [4, stuck] }));
    const task = await flow.begin();
    const zombie = flow.attempt(task);
    await stuck.reached;
    zombie.cancel();
    await expect(zombie.ended).rejects.toMatchObject({ name: 'CancelledFailure' });
    stuck.open();
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts: { read: ROWS } });
  });
});

describePostgres('an attempt that goes on beside its retry, with PostgreSQL for a sink', () => {
  const database = usePostgresDatabase();

  it('doubles no row of a table without a key', async () => {
    await overtaken(() => sqlSink({ database: database.url, table: 't', create: true }));
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ number: string }>('SELECT number FROM t ORDER BY 1');
    await client.end();
    expect(rows.map(({ number }) => Number(number))).toEqual(ALL);
  });
});

describe('a batch that is tried again', () => {
  it('has the same idempotency key, and the next batch another one', async () => {
    const keys: string[] = [];
    const receiver = defineSink({
      name: 'receiver',
      options: z.strictObject({}),
      open: () => ({
        write: async ({ rows, idempotencyKey }) => {
          keys.push(idempotencyKey);
          if (keys.length === 2) throw new Error('the answer was lost');
          return { written: { new: 0, updated: 0, redundant: 0, unpredictable: rows.length } };
        },
      }),
    });
    const flow = await prepare(() =>
      defineDataFlow({
        name: 'receiving',
        batchSize: 5,
        source: listSource(() => numbered(15)),
        sink: receiver({}),
      }),
    );
    const task = await flow.begin();
    await expect(flow.attempt(task).ended).rejects.toThrow('the answer was lost');
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts: { read: 15 } });
    const [first, second, again, third] = keys;
    expect(again).toBe(second);
    expect(new Set([first, second, third]).size).toBe(3);
  });
});

describe('a catalog that is away when an attempt begins', () => {
  it('is waited for, at the cost of no attempt', async () => {
    const flow = await prepare(gated(() => listSink([]), {}));
    const task = await flow.begin();
    let failures = 0;
    const attempt = flow.attempt(task, {
      position: (ref) => {
        failures += 1;
        if (failures <= 2) throw new Error('Connection terminated unexpectedly');
        return flow.catalog.position(ref);
      },
    });
    expect(await attempt.ended).toMatchObject({ done: true, counts: { read: ROWS } });
    expect(failures).toBe(3);
  });

  it('is not waited for once the attempt is given up', async () => {
    const flow = await prepare(gated(() => listSink([]), {}));
    const task = await flow.begin();
    const away = gate();
    const attempt = flow.attempt(task, {
      position: () => {
        void away.pass();
        throw new Error('Connection terminated unexpectedly');
      },
    });
    await away.reached;
    attempt.cancel();
    await expect(attempt.ended).rejects.toMatchObject({
      name: expect.stringMatching(/^(CancelledFailure|AbortError)$/),
    });
  });
});
