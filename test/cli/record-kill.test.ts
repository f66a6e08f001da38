import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { cli, useCli, type CliProcess } from '../support/cli.js';
import { useProjectDirectory } from '../support/project-directory.js';
import { writeProject } from '../support/project.js';
import { uniqueTaskQueue, useTemporal } from '../support/temporal.js';
import { until } from '../support/until.js';
import { config } from './fixtures.js';

jest.setTimeout(120_000);

const temporal = useTemporal();
const dir = useProjectDirectory();
const start = useCli();

const RECORDS = 2_000;
const CONCURRENCY = 8;

/** Most bodies that end within the time of one group, and those in progress: what a kill may have done again. */
const GROUP = 60;

/** Each body writes into a file outside of the store when it has done its work: that is never taken back. */
const PIPELINE = `import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { async, defineRecordPipeline, defineStore, record, step } from 'millrace/records';
import { z } from 'zod';

const store = defineStore({
  dir: 'data',
  records: {
    item: record({ table: 'items', columns: { done: z.boolean().default(false) } }),
    note: record({ table: 'notes', columns: { item_id: z.number().int() } }),
  },
});

export const work = defineRecordPipeline(store, {
  name: 'work',
  processor: async({ concurrency: ${String(CONCURRENCY)}, enqueueSeconds: 0.01 }),
  steps: [
    step({
      label: 'fill',
      records: (s) => s.item.where('id = 1 and (select count(*) from items) = 1'),
      each: ({ store: s }) => {
        for (let n = 1; n < ${String(RECORDS)}; n += 1) s.item.create({});
      },
    }),
    step({
      label: 'do',
      records: (s) => s.item.where({ done: false }),
      each: async ({ record: item, store: s }) => {
        await delay(15);
        s.note.create({ item_id: item.id });
        item.update({ done: true });
        appendFileSync(process.env.LEDGER, item.id + '\\n');
      },
    }),
  ],
});

if (store.item.count() === 0) store.item.create({});
store.close();
`;

async function startWorker(): Promise<CliProcess> {
  const env = { TEMPORAL_ADDRESS: temporal.address, LEDGER: join(dir.path, 'ledger.txt') };
  const worker = start(['worker'], { cwd: dir.path, env });
  await worker.says(/worker ready/);
  return worker;
}

/** What another tool sees in the store. */
function inStore(sql: string): number {
  const db = new Sqlite(join(dir.path, 'data/db.sqlite3'), { readonly: true, fileMustExist: true });
  try {
    return Number(db.prepare(sql).pluck().get());
  } finally {
    db.close();
  }
}

const done = (): number => inStore('select count(*) from items where done = 1');

/** Each record is either whole, with its note, or as it was. */
function expectWhole(): void {
  const halves = `select count(*) from items i where i.done <> (select count(*) from notes n where n.item_id = i.id)`;
  expect(inStore(halves)).toBe(0);
}

describe('a worker of a record pipeline that is killed', () => {
  it('loses no committed record, leaves none half-applied, and has at most a group done again', async () => {
    await writeProject(dir.path, {
      'millrace.config.ts': config(uniqueTaskQueue()),
      'records/work.ts': PIPELINE.replace(
        "dir: 'data'",
        `dir: ${JSON.stringify(join(dir.path, 'data'))}`,
      ),
    });
    let worker = await startWorker();
    const env = { TEMPORAL_ADDRESS: temporal.address };
    const { code, stdout } = await cli(['records', 'run', 'work', '--detach'], {
      cwd: dir.path,
      env,
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^record_pipeline\/work\//);

    for (const share of [0.2, 0.5]) {
      await until(async () => (done() > RECORDS * share ? true : undefined), 60_000);
      const before = done();
      await worker.stop('SIGKILL');
      expectWhole();
      expect(done()).toBeGreaterThanOrEqual(before);
      expect(done()).toBeLessThan(RECORDS);
      worker = await startWorker();
    }
    await until(async () => (done() === RECORDS ? true : undefined), 60_000);
    await until(
      async () =>
        inStore("select count(*) from millrace_runs where status = 'success'") || undefined,
    );
    expectWhole();
    expect(inStore('select completed from millrace_runs')).toBe(RECORDS + 1);
    const ledger = (await readFile(join(dir.path, 'ledger.txt'), 'utf8')).trim().split('\n');
    expect(new Set(ledger).size).toBe(RECORDS);
    expect(ledger.length - RECORDS).toBeLessThanOrEqual(2 * GROUP);
    const id = stdout.trim();
    // What lists are made of comes a moment later.
    await until(async () => {
      const listed = await cli(['list', 'work', '--status', 'completed'], { cwd: dir.path, env });
      return listed.stdout.includes(id) ? true : undefined;
    }, 30_000);
    const [, , run = ''] = id.split('/');
    const shown = await cli(['show', run], { cwd: dir.path, env });
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringContaining(id)]);
  });
});
