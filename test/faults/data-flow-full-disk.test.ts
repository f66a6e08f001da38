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
import { useFlowActivities } from '../support/flow-activities.js';
import { listSource } from '../support/flows.js';

const run = promisify(execFile);

/** A small file system of its own. */
let disk = '';

// Before the hook that removes the folder. Lazily, since something may still have a file open.
afterEach(() => run('umount', ['--lazy', disk]));

const prepare = useFlowActivities();

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
