import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import {
  async,
  defineRecordPipeline,
  step,
  sync,
} from '../../../src/record-pipeline/record-pipeline.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { drain } from './draining.js';
import { PROCESSORS, staffIn, withStaff } from './staff-store.js';

describe.each(PROCESSORS)('draining a store, %s', (kind, processor) => {
  const folder = useTemporaryDirectory();

  it('works on every record of a step until none is left, and then on what steps have made for others', async () => {
    const store = staffIn(folder.path);
    for (const name of ['Acme', 'Tech', 'Inc']) store.company.create({ name });
    const greeted: string[] = [];
    const pipeline = defineRecordPipeline(store, {
      name: 'staff',
      processor,
      steps: [
        // The first step has nothing to do before the second has made it.
        step({
          label: 'greet',
          records: (s) => s.employee.where({ processed: false }),
          each: async ({ record: employee }) => {
            await delay(1);
            greeted.push(`${employee.name} of ${employee.company?.name ?? ''}`);
            employee.update({ processed: true });
          },
        }),
        step({
          label: 'fetch',
          records: (s) => s.company.where({ fetched: false }),
          each: ({ record: company, store: s }) => {
            for (const name of ['Ann', 'Bea']) s.employee.create({ name, company_id: company.id });
            expect(company.employees.count()).toBe(2);
            company.update({ fetched: true });
          },
        }),
      ],
    });
    const { done, counts, errors } = await drain(pipeline);
    expect({ done, counts, errors }).toEqual({
      done: true,
      counts: { completed: 9, failed: 0 },
      errors: [],
    });
    expect(greeted.sort()).toEqual(
      ['Acme', 'Inc', 'Tech'].flatMap((name) => [`Ann of ${name}`, `Bea of ${name}`]).sort(),
    );
    expect(store.employee.where({ processed: true }).count()).toBe(6);
    store.close();
  });

  it('writes all changes of a body when it ends, and none when it throws', async () => {
    const store = withStaff(folder.path, 3);
    const { counts, failures } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee, store: s }) => {
              employee.update({ processed: true });
              s.company.create({ name: `of ${employee.name}` });
              await delay(1);
              if (employee.name === 'e2') throw new RangeError('not this one');
            },
          }),
        ],
      }),
    );
    expect(counts).toEqual({ completed: 2, failed: 1 });
    expect(failures).toMatchObject([
      {
        step: 'greet',
        record: 'employee',
        recordId: 2,
        name: 'RangeError',
        message: 'not this one',
      },
    ]);
    expect(failures[0]?.stack).toContain('store-drain.test.ts');
    expect(store.employee.where({ processed: false }).pluck('name')).toEqual(['e2']);
    expect(store.company.pluck('name').slice(1).sort()).toEqual(['of e1', 'of e3']);
    store.close();
  });

  it('stops at the first error, and goes on where it was when it is run again', async () => {
    const store = withStaff(folder.path, 20);
    let isBroken = true;
    const seen: string[] = [];
    const pipeline = defineRecordPipeline(store, {
      name: 'staff',
      processor,
      steps: [
        step({
          label: 'greet',
          records: (s) => s.employee.where({ processed: false }),
          each: async ({ record: employee, assert }) => {
            await delay(employee.id % 3);
            seen.push(employee.name);
            assert(!isBroken || employee.id < 7, `cannot greet ${employee.name}`);
            employee.update({ processed: true });
          },
        }),
      ],
    });
    const first = await drain(pipeline);
    expect(first.done).toBe(true);
    expect(first.errors[0]).toMatchObject({
      name: 'AssertionFailure',
      message: expect.stringMatching(/^cannot greet e/),
    });
    // Those in progress end, no more are begun.
    expect(first.counts.failed).toBeLessThanOrEqual(kind === 'sync' ? 1 : 4);
    expect(seen.length).toBeLessThanOrEqual(kind === 'sync' ? 7 : 10);
    isBroken = false;
    const second = await drain(pipeline);
    expect(second.counts).toEqual({ completed: 20 - first.counts.completed, failed: 0 });
    expect(store.employee.where({ processed: false }).count()).toBe(0);
    store.close();
  });

  it('works only on what has failed before, and not since, when it is asked to', async () => {
    const store = withStaff(folder.path, 6);
    let bad = ['e2', 'e4', 'e5'];
    const tried: string[] = [];
    const pipeline = defineRecordPipeline(store, {
      name: 'staff',
      processor,
      onError: 'continue',
      steps: [
        step({
          label: 'greet',
          records: (s) => s.employee.where({ processed: false }),
          each: async ({ record: employee }) => {
            tried.push(employee.name);
            await delay(1);
            if (bad.includes(employee.name)) throw new Error('not this one');
            employee.update({ processed: true });
          },
        }),
      ],
    });
    expect((await drain(pipeline)).counts).toEqual({ completed: 3, failed: 3 });
    bad = ['e4'];
    store.employee.create({ name: 'new', company_id: 1 });
    store.employee.find(5).update({ processed: true });
    tried.length = 0;
    expect((await drain(pipeline, { retryFailed: true })).counts).toEqual({
      completed: 1,
      failed: 1,
    });
    expect(tried.sort()).toEqual(['e2', 'e4']);
    bad = [];
    tried.length = 0;
    expect((await drain(pipeline, { retryFailed: true })).counts.completed).toBe(1);
    expect((await drain(pipeline)).counts.completed).toBe(1);
    expect(tried).toEqual(['e4', 'new']);
    store.close();
  });

  it('gives up a record that its bodies leave among those of the step, and names the query', async () => {
    const store = withStaff(folder.path, 2);
    let bodies = 0;
    const { counts, failures } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'greet',
            maxPasses: 3,
            records: (s) => s.employee.where({ processed: false }),
            each: ({ record: employee }) => {
              bodies += 1;
              if (employee.id === 2) employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(bodies).toBe(4);
    expect(counts).toMatchObject({ failed: 1 });
    expect(failures).toMatchObject([{ recordId: 1, name: 'TooManyPasses' }]);
    expect(failures[0]?.message).toContain('worked on 3 times by step "greet"');
    expect(failures[0]?.message).toContain('"employees" where "processed" = ?');
    store.close();
  });

  it('gives up records that two steps put back for each other', async () => {
    const store = withStaff(folder.path, 2);
    const { counts, errors, done } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        onError: 'continue',
        steps: [true, false].map((processed) =>
          step({
            label: processed ? 'process' : 'take back',
            records: (s) => s.employee.where({ processed: !processed }),
            each: async ({ record: employee }) => {
              await delay(1);
              employee.update({ processed });
            },
            maxPasses: 4,
          }),
        ),
      }),
    );
    expect(done).toBe(true);
    // Each step works on each of both records once, and four times more.
    expect(counts.completed).toBeLessThanOrEqual(2 * 2 * 5);
    expect(errors.map(({ name }) => name)).toEqual(errors.map(() => 'TooManyPasses'));
    expect(errors[0]?.message).toContain('comes back, again and again, among its records');
    store.close();
  });

  it('runs a body again when what it has read was changed meanwhile, and loses no change', async () => {
    const store = withStaff(folder.path, 30);
    await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        steps: [
          step({
            label: 'count',
            records: (s) => s.employee.where('id > ? and processed = ?', 1, false),
            each: async ({ record: employee, store: s }) => {
              const first = s.employee.find(1);
              await delay(1);
              first.update({ visits: first.visits + 1 });
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(store.employee.find(1).visits).toBe(29);
    expect(store.employee.where({ processed: true }).count()).toBe(29);
    store.close();
  });

  it('leaves out a record that another body has taken out of the query since', async () => {
    const store = withStaff(folder.path, 10);
    const seen: number[] = [];
    await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor: kind === 'sync' ? sync() : async({ concurrency: 1 }),
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: ({ record: employee, store: s }) => {
              seen.push(employee.id);
              for (const other of s.employee.where({ processed: false }))
                other.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(seen).toEqual([1]);
    store.close();
  });

  it('lets nobody write any more when another attempt has taken over', async () => {
    const store = withStaff(folder.path, 5);
    const other = staffIn(folder.path);
    const draining = drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee }) => {
              if (employee.id === 1)
                coreOf(other).live.db.exec('update millrace_runs set epoch = epoch + 1');
              await delay(1);
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    await expect(draining).rejects.toThrow(
      /another attempt of it goes on elsewhere\. Nothing was written\./,
    );
    expect(other.employee.where({ processed: true }).count()).toBe(0);
    other.close();
    store.close();
  });
});
