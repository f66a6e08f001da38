import { describe, expect, it } from '@jest/globals';
import {
  AssertionFailure,
  async,
  defineRecordPipeline,
  every,
  step,
  type StepProgress,
} from '../../../adapters/record-store/index.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { until } from '../../support/until.js';
import { drain } from './draining.js';
import { usersWith } from './guide-users.js';
import { PROCESSORS } from './staff-store.js';

/** The examples of the guide that record pipelines grew from (seed 004), one after the other: what each of them shows. */
describe.each(PROCESSORS)('the guide of record pipelines, %s', (kind, processor) => {
  const folder = useTemporaryDirectory();

  const users = (...names: readonly string[]) => usersWith(folder.path, names);

  it('basic: works on the records of a step until there are none', async () => {
    const store = await users('Alice', 'Bob');
    const seen: string[] = [];
    const { counts } = await drain(
      defineRecordPipeline(store, {
        name: 'basic',
        processor,
        steps: [
          step({
            label: 'process',
            records: (s) => s.user.where({ processed: false }),
            each: ({ record: user }) => {
              seen.push(`Processing ${user.name}`);
              user.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(seen).toEqual(['Processing Alice', 'Processing Bob']);
    expect(counts).toEqual({ completed: 2, failed: 0 });
    expect(store.user.where({ processed: true }).count()).toBe(2);
    store.close();
  });

  it('asynchronous: overlaps bodies as far as it was asked to, and finds what comes meanwhile', async () => {
    const store = await users('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const most = kind === 'sync' ? 1 : 4;
    let running = 0;
    let together = 0;
    const { counts } = await drain(
      defineRecordPipeline(store, {
        name: 'overlapping',
        processor: kind === 'sync' ? processor : async({ concurrency: 4, enqueueSeconds: 0.01 }),
        steps: [
          step({
            label: 'call',
            records: (s) => s.user.where({ processed: false }),
            each: async ({ record: user }) => {
              running += 1;
              together = Math.max(together, running);
              // As long as it takes the others to begin.
              await until(async () => together === most || undefined);
              // What somebody else creates is found while this body goes on.
              if (user.name === 'g') store.user.create({ name: 'h' });
              running -= 1;
              user.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(together).toBe(most);
    expect(counts.completed).toBe(8);
    store.close();
  });

  it('filtering: takes conditions by column, in SQL, with values, and one after the other', async () => {
    const store = await users('Alice', 'Bob', 'Cid', 'Dan');
    store.user.find(1).update({ age: 17 });
    store.user.find(2).update({ active: false });
    expect(store.user.where({ processed: false, active: true }).pluck('id')).toEqual([1, 3, 4]);
    expect(store.user.where('id % 2 = 0').pluck('id')).toEqual([2, 4]);
    expect(store.user.where('age >= ?', 18).pluck('id')).toEqual([2, 3, 4]);
    const seen: number[] = [];
    await drain(
      defineRecordPipeline(store, {
        name: 'filtering',
        processor,
        steps: [
          step({
            label: 'active adults',
            records: (s) => s.user.where({ active: true, processed: false }).where('age >= ?', 18),
            each: ({ record: user }) => {
              seen.push(user.id);
              user.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(seen.sort()).toEqual([3, 4]);
    store.close();
  });

  it('errors: are collected, with their record and step; what the others have done stays', async () => {
    const store = await users('Alice', 'Bob', 'Cid');
    const { done, counts, errors } = await drain(
      defineRecordPipeline(store, {
        name: 'failing',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'process',
            records: (s) => s.user.where({ processed: false }),
            each: async ({ record: user }) => {
              user.update({ processed: true });
              await Promise.resolve();
              if (user.name === 'Bob') throw new Error(`Something went wrong with ${user.name}`);
            },
          }),
        ],
      }),
    );
    expect({ done, counts }).toEqual({ done: true, counts: { completed: 2, failed: 1 } });
    expect(errors).toMatchObject([
      { step: 'process', record: 'user', recordId: 2, message: 'Something went wrong with Bob' },
    ]);
    expect(store.user.where({ processed: false }).pluck('name')).toEqual(['Bob']);
    store.close();
  });

  it('assertions: fail the record whose state was not changed by what it was left to', async () => {
    const store = await users('Alice', 'Bob');
    const someOther = { call: (user: { readonly name: string }) => user.name === 'Alice' };
    const { errors, failures } = await drain(
      defineRecordPipeline(store, {
        name: 'asserting',
        processor,
        onError: 'continue',
        steps: [
          step({
            label: 'delegate',
            records: (s) => s.user.where({ processed: false }),
            each: ({ record: user, assert }) => {
              if (someOther.call(user)) user.update({ processed: true });
              assert(user.processed, 'it was not processed');
            },
          }),
        ],
      }),
    );
    expect(errors).toMatchObject([
      { name: AssertionFailure.name, message: 'it was not processed', recordId: 2 },
    ]);
    expect(failures).toHaveLength(1);
    store.close();
  });

  it('progress: hooks get the record, the label, and how many are left', async () => {
    const store = await users('Alice', 'Bob', 'Cid');
    const before: string[] = [];
    const after: string[] = [];
    const told = ({ label, queueSize, value }: StepProgress): string =>
      `${label}: ${(value as { readonly name: string }).name}, ${String(queueSize)} left`;
    await drain(
      defineRecordPipeline(store, {
        name: 'telling',
        processor: kind === 'sync' ? processor : async({ concurrency: 1 }),
        beforeProcess: (progress) => {
          before.push(told(progress));
        },
        onProgress: (progress) => {
          after.push(progress.label);
        },
        steps: [
          step({
            label: 'fetch',
            records: (s) => s.user.where({ processed: false, active: true }),
            each: ({ record: user, store: s }) => {
              s.user.create({ name: `${user.name}'s`, active: false });
              user.update({ processed: true });
            },
          }),
          step({
            label: 'process',
            records: (s) => s.user.where({ processed: false }),
            each: async ({ record: user }) => {
              await Promise.resolve();
              user.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(before).toEqual([
      'fetch: Alice, 2 left',
      'fetch: Bob, 1 left',
      'fetch: Cid, 0 left',
      "process: Alice's, 2 left",
      "process: Bob's, 1 left",
      "process: Cid's, 0 left",
    ]);
    expect(after).toEqual([...Array<string>(3).fill('fetch'), ...Array<string>(3).fill('process')]);
    store.close();
  });

  it('timers: go off while bodies are worked on, get true numbers, and end with the run', async () => {
    const store = await users('Alice', 'Bob', 'Cid', 'Dan', 'Eve', 'Fay');
    const quick: (readonly [number, number])[] = [];
    let slow = 0;
    const { counts, warnings } = await drain(
      defineRecordPipeline(store, {
        name: 'timing',
        processor,
        timers: [
          every(0.1, ({ completed, queueSize, time }) => {
            quick.push([completed, queueSize]);
            if (time > 0) throw new Error('nobody minds');
          }),
          every(3_600, () => {
            slow += 1;
          }),
        ],
        steps: [
          step({
            label: 'wait',
            records: (s) => s.user.where({ processed: false }),
            each: async ({ record: user }) => {
              const before = quick.length;
              if (user.id <= 2) await until(async () => quick.length > before || undefined);
              user.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(counts.completed).toBe(6);
    expect(slow).toBe(0);
    // One body waits for the timer, or two; what the others have done is counted.
    const [completed = 0, left = 0] = quick[0] ?? [];
    expect(completed + left).toBe(kind === 'sync' ? 5 : 4);
    expect(warnings).toContain('a timer of the run failed: nobody minds');
    store.close();
  });
});
