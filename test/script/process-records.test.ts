import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { defineStore, record } from '../../adapters/record-store/index.js';
import {
  async,
  defineRecordPipeline,
  step,
  sync,
  type RecordPipelineDefinition,
} from '../../src/record-pipeline/record-pipeline.js';
import { StoreBusy } from '../../src/record-store/errors.js';
import { processRecords } from '../../script/process-records.js';
import { shareBundles } from '../support/project-directory.js';
import { useCli } from '../support/cli.js';
import { useTemporal } from '../support/temporal.js';
import { useTemporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const temporal = useTemporal();
const folder = useTemporaryDirectory();

function usersIn(dir: string, count: number) {
  const store = defineStore({
    dir,
    records: {
      user: record({
        table: 'users',
        columns: { name: z.string(), greeted: z.boolean().default(false) },
      }),
    },
  });
  for (let n = 1; n <= count; n += 1) store.user.create({ name: `u${String(n)}` });
  return store;
}

type Users = ReturnType<typeof usersIn>;

function greeting(
  store: Users,
  greet: (name: string, signal: AbortSignal) => void | Promise<void>,
  over: Partial<RecordPipelineDefinition<Users>> = {},
) {
  return defineRecordPipeline(store, {
    name: 'greeting',
    steps: [
      step({
        label: 'greet',
        records: (s) => s.user.where({ greeted: false }),
        each: async ({ record: user, signal }) => {
          await greet(user.name, signal);
          user.update({ greeted: true });
        },
      }),
    ],
    ...over,
  });
}

/** Nothing is shown, and the server of the tests is used. */
const quiet = () => ({ progress: false, env: { TEMPORAL_ADDRESS: temporal.address } });

describe('a record pipeline that a script runs by itself', () => {
  it.each([
    ['sync', sync()],
    ['async', async({ concurrency: 3 })],
  ])('comes back with the errors, and then with what is left done, %s', async (kind, processor) => {
    await shareBundles(folder.path);
    const store = usersIn(folder.path, 10);
    let isBroken = true;
    const pipeline = greeting(
      store,
      (name) => {
        if (isBroken && name === 'u4') throw new RangeError('nobody greets u4');
      },
      { processor },
    );
    const first = await processRecords(pipeline, quiet());
    expect(first).toMatchObject({ success: false, failed: 1 });
    expect(first.errors).toEqual([
      expect.objectContaining({
        step: 'greet',
        record: 'user',
        recordId: 4,
        name: 'RangeError',
        message: 'nobody greets u4',
        stack: expect.stringContaining('process-records.test.ts'),
      }),
    ]);
    if (kind === 'sync') expect(first.completed).toBe(3);
    isBroken = false;
    const { success, completed, errors } = await processRecords(pipeline, quiet());
    expect({ success, completed, errors }).toEqual({
      success: true,
      completed: 10 - first.completed,
      errors: [],
    });
    expect(store.user.where({ greeted: true }).count()).toBe(10);
    store.close();
  });

  it('is cancelled by its signal, and refused while another run works on the store', async () => {
    await shareBundles(folder.path);
    const store = usersIn(folder.path, 5);
    const controller = new AbortController();
    let hasBegun = false;
    const pipeline = greeting(store, async (_name, signal) => {
      hasBegun = true;
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
      });
    });
    const running = processRecords(pipeline, { ...quiet(), signal: controller.signal });
    await until(async () => hasBegun || undefined);
    const other = greeting(store, () => undefined, { name: 'another' });
    await expect(processRecords(other, quiet())).rejects.toThrow(StoreBusy);
    controller.abort();
    await expect(running).resolves.toMatchObject({ success: false, completed: 0, errors: [] });
    await expect(processRecords(other, quiet())).resolves.toMatchObject({ completed: 5 });
    store.close();
  });

  it('starts a Temporal server of its own, and goes on with its run after it was killed', async () => {
    const start = scripts;
    await writeFile(join(folder.path, 'greet.mjs'), SCRIPT);
    await mkdir(join(folder.path, 'node_modules'));
    for (const [name, target] of [
      ['millrace', ROOT],
      ['zod', join(ROOT, 'node_modules/zod')],
    ] as const)
      await symlink(target, join(folder.path, 'node_modules', name));
    const dir = join(folder.path, 'data');
    await shareBundles(dir);
    const run = () => start([], { cwd: folder.path, main: join(folder.path, 'greet.mjs') });

    const first = run();
    await until(async () => (greetedIn(dir) > 20 ? true : undefined), 60_000);
    await first.stop('SIGKILL');
    const { code, stdout, stderr } = await run().ended;
    expect(stderr).toMatch(/greet: [\d,]+ left|greet .*100/);
    expect(code).toBe(0);
    const { run: id, ...outcome } = JSON.parse(stdout) as { run: string };
    expect(outcome).toEqual({ success: true, completed: 200, failed: 0, errors: [] });
    const db = new Sqlite(join(dir, 'db.sqlite3'), { readonly: true });
    // One run it was, and is over.
    expect(db.prepare('select id, status from millrace_runs').all()).toEqual([
      { id, status: 'success' },
    ]);
    db.close();
    const ledger = (await readFile(join(folder.path, 'ledger.txt'), 'utf8')).trim().split('\n');
    expect(new Set(ledger).size).toBe(200);
  });
});

const scripts = useCli();

function greetedIn(dir: string): number {
  try {
    const db = new Sqlite(join(dir, 'db.sqlite3'), { readonly: true, fileMustExist: true });
    try {
      return Number(db.prepare('select count(*) from users where greeted = 1').pluck().get());
    } finally {
      db.close();
    }
  } catch {
    // Not made yet.
    return 0;
  }
}

const SCRIPT = `import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { async, defineRecordPipeline, defineStore, record, step } from 'millrace/records';
import { processRecords } from 'millrace/script';
import { z } from 'zod';

const columns = { name: z.string(), greeted: z.boolean().default(false) };
const store = defineStore({ dir: 'data', records: { user: record({ table: 'users', columns }) } });
if (store.user.count() === 0)
  await store.transaction(() => {
    for (let n = 1; n <= 200; n += 1) store.user.create({ name: 'u' + n });
  });

const outcome = await processRecords(
  defineRecordPipeline(store, {
    name: 'greeting',
    processor: async({ concurrency: 4 }),
    steps: [
      step({
        label: 'greet',
        records: (s) => s.user.where({ greeted: false }),
        each: async ({ record: user }) => {
          await delay(60);
          appendFileSync('ledger.txt', user.id + '\\n');
          user.update({ greeted: true });
        },
      }),
    ],
  }),
);
console.log(JSON.stringify(outcome));
process.exitCode = outcome.success ? 0 : 1;
`;
