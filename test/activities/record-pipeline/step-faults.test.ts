import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { z } from 'zod';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import { defineStore, record } from '../../../adapters/record-store/index.js';
import {
  async,
  defineRecordPipeline,
  step,
  sync,
} from '../../../src/record-pipeline/record-pipeline.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { until } from '../../support/until.js';
import { drain } from './draining.js';
import { withStaff } from './staff-store.js';

describe('a step', () => {
  const folder = useTemporaryDirectory();

  it('is not over while a body that goes on may make work for it', async () => {
    const store = withStaff(folder.path, 3);
    const labels: string[] = [];
    await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor: async({ concurrency: 2, enqueueSeconds: 0.005 }),
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee, store: s }) => {
              labels.push('greet');
              await delay(30);
              if (employee.id === 3) s.employee.create({ name: 'e4', company_id: 1 });
              employee.update({ processed: true });
            },
          }),
          step({
            label: 'fetch',
            records: (s) => s.company.where({ fetched: false }),
            each: ({ record: company }) => {
              labels.push('fetch');
              company.update({ fetched: true });
            },
          }),
        ],
      }),
    );
    expect(labels).toEqual(['greet', 'greet', 'greet', 'greet', 'fetch']);
    store.close();
  });

  it('takes no record that a body before has taken out of its query by SQL that looks at others', async () => {
    const store = withStaff(folder.path, 10);
    const { counts } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor: sync(),
        steps: [
          step({
            label: 'three of them',
            records: (s) =>
              s.employee.where(
                'processed = 0 and (select count(*) from employees e where e.processed) < ?',
                3,
              ),
            each: ({ record: employee }) => {
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(counts.completed).toBe(3);
    store.close();
  });

  it('names the query of a record that is given up, also one with large numbers', async () => {
    const store = defineStore({
      dir: folder.path,
      versions: { duringRuns: 'none' },
      records: { thing: record({ table: 'things', columns: { size: z.bigint() } }) },
    });
    store.thing.create({ size: 9_007_199_254_740_993n });
    const { failures } = await drain(
      defineRecordPipeline(store, {
        name: 'things',
        onError: 'continue',
        steps: [
          step({
            label: 'none',
            maxPasses: 2,
            records: (s) => s.thing.where({ size: { gt: 9_007_199_254_740_992n } }),
            each: () => undefined,
          }),
        ],
      }),
    );
    expect(failures[0]?.message).toContain(
      '("things" where "size" > ? order by "id", with ["9007199254740992"])',
    );
    store.close();
  });

  it('waits for the store while another tool writes to it, and fails its attempt when that takes too long', async () => {
    const store = withStaff(folder.path, 3);
    const tool = new Sqlite(join(folder.path, 'db.sqlite3'));
    const pipeline = defineRecordPipeline(store, {
      name: 'staff',
      processor: async({ concurrency: 2 }),
      onError: 'continue',
      steps: [
        step({
          label: 'greet',
          records: (s) => s.employee.where({ processed: false }),
          each: ({ record: employee, store: s }) => {
            employee.update({ processed: true });
            if (employee.id === 1) tool.exec('begin immediate');
            // What the body before has changed is written first.
            s.employee.where({ processed: false }).count();
          },
        }),
      ],
    });
    await expect(drain(pipeline, { run: 'run-1' })).rejects.toThrow(
      /db\.sqlite3: another process has kept it locked for 5 s\. Try again/,
    );
    tool.exec('rollback');
    tool.close();
    expect(coreOf(store).runs.find('run-1')).toMatchObject({ completed: 0, failed: 0 });
    expect(store.employee.where({ processed: true }).count()).toBe(0);
    store.close();
  });

  it('has bodies see those that have ended before, also beside an attempt that was taken for lost', async () => {
    const store = withStaff(folder.path, 12);
    let isOpen = false;
    const seen: number[] = [];
    const greeting = (each: (id: number, count: () => number) => Promise<void>) =>
      defineRecordPipeline(store, {
        name: 'staff',
        processor: async({ concurrency: 1 }),
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee, store: s }) => {
              await each(employee.id, () => s.employee.where({ processed: true }).count());
              employee.update({ processed: true });
            },
          }),
        ],
      });
    const lost = drain(
      greeting(async () => {
        await until(async () => isOpen || undefined);
      }),
      { run: 'run-1' },
    );
    const lostEnds = expect(lost).rejects.toThrow(/another attempt of it goes on elsewhere/);
    await drain(
      greeting(async (id, count) => {
        if (id === 4) {
          isOpen = true;
          await lostEnds;
        }
        seen.push(count());
      }),
      { run: 'run-1' },
    );
    expect(seen).toEqual(Array.from({ length: 12 }, (_, at) => at));
    store.close();
  });
});
