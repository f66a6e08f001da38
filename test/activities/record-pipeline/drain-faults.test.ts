import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import { defineStore, record } from '../../../adapters/record-store/index.js';
import { async, defineRecordPipeline, step } from '../../../src/record-pipeline/record-pipeline.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { until } from '../../support/until.js';
import { drain } from './draining.js';
import { PROCESSORS, staffIn, withStaff } from './staff-store.js';

describe.each(PROCESSORS)('bodies that meet with trouble, %s', (_kind, processor) => {
  const folder = useTemporaryDirectory();

  it('are run once for a record, also where others of the step fail or have it go on', async () => {
    const store = withStaff(folder.path, 60);
    const bodies = new Map<number, number>();
    const { counts, failures } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'greet',
            maxPasses: 5,
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee }) => {
              const { id } = employee;
              bodies.set(id, (bodies.get(id) ?? 0) + 1);
              // Some go on while the step is looked at again and again for the others.
              if (id % 3 === 0) await delay(id % 20);
              if (id % 6 === 0) throw new Error('not this one');
              if (id % 7 !== 0) employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    const ids = Array.from({ length: 60 }, (_, at) => at + 1);
    const lasting = ids.filter((id) => id % 7 === 0 && id % 6 !== 0);
    const failing = ids.filter((id) => id % 6 === 0);
    expect(Object.fromEntries(bodies)).toEqual(
      Object.fromEntries(ids.map((id) => [id, lasting.includes(id) ? 5 : 1])),
    );
    expect(failures.map(({ recordId }) => recordId).sort((a, b) => a - b)).toEqual(
      [...lasting, ...failing].sort((a, b) => a - b),
    );
    expect(counts).toEqual({
      completed: 60 - failing.length + 4 * lasting.length,
      failed: failing.length + lasting.length,
    });
    store.close();
  });

  it('begin again when their record was deleted by somebody else, whom they find out by reading', async () => {
    const store = withStaff(folder.path, 6);
    const other = staffIn(folder.path);
    const { counts, failures } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee, store: s }) => {
              if (employee.id === 3) other.employee.find(3).delete();
              employee.update({ processed: true });
              await delay(1);
              s.employee.where({ processed: false }).count();
            },
          }),
        ],
      }),
    );
    expect({ counts, failures }).toEqual({ counts: { completed: 5, failed: 0 }, failures: [] });
    expect(store.employee.where({ processed: true }).count()).toBe(5);
    other.close();
    store.close();
  });

  it('fail alone where SQLite refuses what they write; the others of their group are written', async () => {
    const store = defineStore({
      dir: folder.path,
      versions: { duringRuns: 'none' },
      records: {
        user: record({
          table: 'users',
          columns: { email: z.string(), code: z.string().nullable().default(null) },
        }),
      },
      migrations: { 'one code each': { sql: 'create unique index codes on users (code)' } },
    });
    for (let n = 1; n <= 20; n += 1) store.user.create({ email: `e${String(n)}` });
    const { counts, failures } = await drain(
      defineRecordPipeline(store, {
        name: 'codes',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'code',
            records: (s) => s.user.where({ code: null }),
            each: ({ record: user, store: s }) => {
              s.user.create({ email: `copy of ${user.email}`, code: `copy ${String(user.id)}` });
              user.update({ code: user.id % 10 === 0 ? 'the same' : `code ${String(user.id)}` });
            },
          }),
        ],
      }),
    );
    expect(counts).toEqual({ completed: 19, failed: 1 });
    expect(failures).toMatchObject([
      { name: 'SqliteError', message: 'UNIQUE constraint failed: users.code' },
    ]);
    const recordId = failures[0]?.recordId ?? 0;
    expect(store.user.where({ code: `copy ${String(recordId)}` }).exists()).toBe(false);
    expect(store.user.where({ code: null }).pluck('id')).toEqual([recordId]);
    expect(store.user.count()).toBe(39);
    store.close();
  });

  it('show what is in the store in records that they had from elsewhere, when they fail', async () => {
    const store = withStaff(folder.path, 4);
    const company = store.company.find(1);
    await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: ({ record: employee, assert }) => {
              company.update({ name: `of ${employee.name}` });
              assert(employee.id === 3, 'not this one');
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(company.name).toBe('of e3');
    company.update({ fetched: true });
    expect(store.company.find(1).toJSON()).toEqual({ id: 1, name: 'of e3', fetched: true });
    store.close();
  });

  it('are not to blame for an attempt that was taken for lost, which they find out by reading', async () => {
    const store = withStaff(folder.path, 8);
    const other = staffIn(folder.path);
    const draining = drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: ({ record: employee, store: s }) => {
              if (employee.id === 1)
                coreOf(other).live.db.exec('update millrace_runs set epoch = epoch + 1');
              else s.employee.count();
              employee.update({ processed: true });
            },
          }),
        ],
      }),
      { run: 'run-1' },
    );
    await expect(draining).rejects.toThrow(/another attempt of it goes on elsewhere/);
    expect(coreOf(other).runs.failures('run-1', 10)).toEqual([]);
    expect(other.employee.where({ processed: true }).count()).toBe(0);
    other.close();
    store.close();
  });

  it('are not to blame for a store that was closed under them', async () => {
    const store = withStaff(folder.path, 8);
    const draining = drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee }) => {
              employee.update({ processed: true });
              await delay(1);
              if (employee.id === 2) store.close();
            },
          }),
        ],
      }),
    );
    await expect(draining).rejects.toThrow(/db\.sqlite3: was closed while it was used/);
    store.close();
  });

  it('that take too long end with the commands that they have begun', async () => {
    const store = withStaff(folder.path, 1);
    const pid = join(folder.path, 'pid');
    const { failures } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        steps: [
          step({
            label: 'greet',
            timeout: '1s',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ shell }) => {
              await shell.run(`echo $$ > ${pid}; exec sleep 60`);
            },
          }),
        ],
      }),
    );
    expect(failures).toMatchObject([{ name: 'BodyTimeout' }]);
    const command = Number(await readFile(pid, 'utf8'));
    const isOver = async (): Promise<true | undefined> => {
      try {
        process.kill(command, 0);
        return undefined;
      } catch {
        return true;
      }
    };
    expect(await until(isOver)).toBe(true);
    store.close();
  });
});

describe('bodies that go on', () => {
  const folder = useTemporaryDirectory();

  it('are told by their signal when their attempt is over before them', async () => {
    const store = withStaff(folder.path, 2);
    const other = staffIn(folder.path);
    const aborted: string[] = [];
    const waiting = drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor: async({ concurrency: 2 }),
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee, signal }) => {
              if (employee.id === 1) {
                coreOf(other).live.db.exec('update millrace_runs set epoch = epoch + 1');
                employee.update({ processed: true });
                return;
              }
              await delay(30_000, undefined, { signal }).catch(() => undefined);
              aborted.push((signal.reason as Error).name);
            },
          }),
        ],
      }),
    );
    await expect(waiting).rejects.toThrow(/another attempt of it goes on elsewhere/);
    expect(await until(() => Promise.resolve(aborted[0]))).toBe('RunTakenOver');
    other.close();
    store.close();
  });
});
