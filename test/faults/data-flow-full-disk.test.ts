import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { csvSink } from '../../adapters/connector/file/csv-sink.js';
import { ndjsonSink } from '../../adapters/connector/file/ndjson-sink.js';
import { sqlSink } from '../../adapters/connector/sql/sql-sink.js';
import { defineDataFlow, type DataFlow } from '../../src/data-flow/data-flow.js';
import type { Row } from '../../src/data-flow/row.js';
import type { SinkUse } from '../../src/data-flow/sink.js';
import type { RetryOptions } from '../../src/pipeline/operation.js';
import { useFlowActivities } from '../support/flow-activities.js';
import { collecting, useFlowStack } from '../support/flow-stack.js';
import { endOf, listSource, runToEnd, uniqueFlow } from '../support/flows.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const run = promisify(execFile);

/** A small file system of its own. */
let disk = '';

// Before the hook that removes the folder. Lazily, since something may still have a file open.
afterEach(() => run('umount', ['--lazy', disk]));

const prepare = useFlowActivities();
const temporal = useTemporal();
const start = useFlowStack(temporal);
const dir = useTemporaryDirectory();

/** Puts a folder on a disk that is full soon. Takes Linux and root, as full-disk.test.ts does. */
function smallDisk(place: string): (dir: string) => Promise<void> {
  return async (dir) => {
    disk = join(dir, place);
    await mkdir(disk, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${String(ROOM_BYTES)}`, 'tmpfs', disk]);
  };
}

async function makeRoom(): Promise<void> {
  await run('mount', ['-o', 'remount,size=64m', disk]);
}

const ROWS = 60;
const ROW_BYTES = 20_000;
const ROOM_BYTES = 500_000;

/** Rows that are more than there is room for. */
const rows: readonly Row[] = Array.from({ length: ROWS }, (_, at) => ({
  number: at + 1,
  text: 'x'.repeat(ROW_BYTES),
}));

function filling(sink: (dir: string) => SinkUse): (dir: string) => DataFlow {
  return (dir) =>
    defineDataFlow({
      name: 'filling',
      batchSize: 5,
      source: listSource(() => rows),
      sink: sink(dir),
    });
}

const numbers = rows.map(({ number }) => number);
const FULL = /ENOSPC|disk is full|disk I\/O error/i;

describe('a disk that is full', () => {
  it.each([
    [
      'ndjson',
      ndjsonSink({ path: 'disk/out' }),
      (line: string) => (JSON.parse(line) as Row)['number'],
    ],
    [
      'csv',
      csvSink({ path: 'disk/out', header: false }),
      (line: string) => Number(line.split(',')[0]),
    ],
  ])(
    'fails the attempt that writes %s, the cursor stays before what is not written, and it goes on when there is room',
    async (_kind, sink, numberOf) => {
      const flow = await prepare(
        filling(() => sink),
        smallDisk('disk'),
      );
      const task = await flow.begin();
      for (let attempt = 0; attempt < 3; attempt += 1)
        await expect(flow.attempt(task).ended).rejects.toMatchObject({
          message: expect.stringMatching(FULL),
          nonRetryable: false,
        });
      await makeRoom();
      const { counts, lastCursor } = await flow.run(task);
      expect(counts.written).toBeGreaterThan(0);
      expect(counts.written).toBeLessThan(ROWS);
      expect(lastCursor).toBe(counts.written);
      expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts: { read: ROWS } });
      const lines = (await readFile(join(flow.dir, 'disk/out'), 'utf8')).trim().split('\n');
      expect(lines.map(numberOf)).toEqual(numbers);
    },
  );

  it('fails the attempt that writes to SQLite; rows and position stay together', async () => {
    const flow = await prepare(
      filling((dir) =>
        sqlSink({ database: `sqlite:${join(dir, 'disk/out.db')}`, table: 't', create: true }),
      ),
      smallDisk('disk'),
    );
    const task = await flow.begin();
    await expect(flow.attempt(task).ended).rejects.toMatchObject({
      message: expect.stringMatching(FULL),
      nonRetryable: false,
    });
    await makeRoom();
    const stored = (): readonly unknown[] => {
      const db = new Sqlite(join(flow.dir, 'disk/out.db'));
      const found = db.prepare('SELECT number FROM t ORDER BY rowid').pluck().all();
      db.close();
      return found;
    };
    const before = stored();
    expect(before).toEqual(numbers.slice(0, before.length));
    expect(before.length).toBeLessThan(ROWS);
    expect((await flow.run(task)).counts.written).toBeLessThanOrEqual(before.length);
    expect(await flow.attempt(task).ended).toMatchObject({ done: true, counts: { read: ROWS } });
    expect(stored()).toEqual(numbers);
    expect(await flow.run(task)).toMatchObject({ lastCursor: ROWS, counts: { written: ROWS } });
  });

  it('under the catalog, too, passes no cursor: the flow waits, and goes on when there is room', async () => {
    const flow = await prepare(
      filling(() => ndjsonSink({ path: 'out' })),
      smallDisk('.'),
    );
    const task = await flow.begin();
    await expect(flow.attempt(task).ended).rejects.toMatchObject({
      message: expect.stringMatching(FULL),
    });
    // Not a page is left.
    await writeFile(join(flow.dir, 'filler'), Buffer.alloc(ROOM_BYTES)).catch(() => undefined);
    const retry = flow.attempt(task);
    const waited = await Promise.race([
      retry.ended.then(
        () => 'ended',
        () => 'failed',
      ),
      delay(3_000, 'waits'),
    ]);
    const { counts, lastCursor } = await flow.run(task);
    expect(lastCursor).toBe(counts.written);
    await makeRoom();
    if (waited === 'waits') expect(await retry.ended).toMatchObject({ done: true });
    else expect(await flow.attempt(task).ended).toMatchObject({ done: true });
    const lines = (await readFile(join(flow.dir, 'out'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Row)['number'])).toEqual(numbers);
    expect(await flow.run(task)).toMatchObject({ lastCursor: ROWS, counts: { written: ROWS } });
  });
});

/** The attempts that have failed so far, by the worker's log. */
function failedAttempts(lines: readonly unknown[]): readonly number[] {
  return (lines as readonly { readonly msg?: string; readonly attempt: number }[])
    .filter(({ msg }) => msg === 'data flow attempt failed')
    .map(({ attempt }) => attempt);
}

describe('a run whose disk is full', () => {
  /** A flow onto a disk that is full soon, and a worker for it. */
  async function startFilling(retry?: RetryOptions) {
    await smallDisk('disk')(dir.path);
    const path = join(disk, 'out');
    const name = uniqueFlow();
    const lines: unknown[] = [];
    const flow = defineDataFlow({
      name,
      batchSize: 5,
      ...(retry !== undefined && { retry }),
      source: listSource(() => rows),
      sink: ndjsonSink({ path }),
    });
    const { flows } = await start({ flows: [flow], log: collecting(lines) });
    const written = async (): Promise<readonly unknown[]> =>
      (await readFile(path, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Row)['number']);
    return { name, flows, lines, written };
  }

  it('tries again after 2 and 6 seconds, and goes on where it was when there is room', async () => {
    const { name, flows, lines, written } = await startFilling();
    const run = await flows.run(name);
    await until(
      () => Promise.resolve(failedAttempts(lines).length === 2 ? true : undefined),
      30_000,
    );
    await makeRoom();
    const ended = await endOf(flows, run);
    expect(ended).toMatchObject({
      status: 'success',
      errorMessage: null,
      lastCursor: ROWS,
      counts: { read: ROWS, written: ROWS },
    });
    expect(ended.endedAt!.getTime() - ended.startedAt.getTime()).toBeGreaterThanOrEqual(8_000);
    expect(failedAttempts(lines)).toEqual([1, 2]);
    expect(await written()).toEqual(numbers);
  });

  it('fails after its attempts, says why, and the next run goes on where it was', async () => {
    const retry = { maximumAttempts: 3, initialInterval: '100ms' } as const;
    const { name, flows, lines, written } = await startFilling(retry);
    const failed = await runToEnd(flows, name);
    expect(failed).toMatchObject({
      status: 'failed',
      errorMessage: expect.stringMatching(FULL),
      lastCursor: failed.counts.written,
    });
    expect(failedAttempts(lines)).toEqual([1, 2, 3]);
    await makeRoom();
    expect(await runToEnd(flows, name)).toMatchObject({
      status: 'success',
      firstCursor: failed.lastCursor,
      lastCursor: ROWS,
    });
    expect(await written()).toEqual(numbers);
  });
});
