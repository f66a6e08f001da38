import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  async,
  defineRecordPipeline,
  every,
  step,
  sync,
  type StepProgress,
} from '../../../src/record-pipeline/record-pipeline.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { until } from '../../support/until.js';
import { drain } from './draining.js';
import { PROCESSORS, withStaff } from './staff-store.js';

describe.each(PROCESSORS)('hooks, timers and limits of a drain, %s', (kind, processor) => {
  const folder = useTemporaryDirectory();

  it('tells hooks of each record how many are left, truly', async () => {
    const store = withStaff(folder.path, 6);
    const before: StepProgress[] = [];
    const sizes: number[] = [];
    let after = 0;
    const { warnings } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor: kind === 'sync' ? sync() : async({ concurrency: 1 }),
        beforeProcess: (progress) => {
          before.push(progress);
          sizes.push(progress.queueSize);
        },
        onProgress: () => {
          after += 1;
          throw new Error('nobody minds');
        },
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: ({ record: employee }) => {
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(sizes).toEqual([5, 4, 3, 2, 1, 0]);
    expect(before.map(({ label }) => label)).toEqual(Array(6).fill('greet'));
    expect((before[2]?.value as { readonly name: string }).name).toBe('e3');
    expect(after).toBe(6);
    expect(warnings).toContain('onProgress failed: nobody minds');
    store.close();
  });

  it('takes records in the order of the query', async () => {
    const store = withStaff(folder.path, 5);
    const seen: string[] = [];
    await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor: kind === 'sync' ? sync() : async({ concurrency: 1 }),
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }).order('name', 'desc').limit(2),
            each: ({ record: employee }) => {
              seen.push(employee.name);
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(seen).toEqual(['e5', 'e4', 'e3', 'e2', 'e1']);
    store.close();
  });

  it('has timers go off while it works, which hold up nothing and may fail', async () => {
    const store = withStaff(folder.path, 12);
    const stats: {
      readonly completed: number;
      readonly queueSize: number;
      readonly time: number;
    }[] = [];
    const { warnings, counts } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        timers: [
          every(0.1, (told) => {
            stats.push({ ...told });
            throw new Error('no matter');
          }),
        ],
        steps: [
          step({
            label: 'greet',
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ record: employee }) => {
              // As long as it takes the timer to have gone off twice.
              await until(async () => (employee.id < 6 || stats.length >= 2 ? true : undefined));
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(counts.completed).toBe(12);
    expect(stats[0]?.completed).toBeLessThan(12);
    expect(stats[0]?.time).toBeGreaterThan(0.05);
    expect(warnings).toContain('a timer of the run failed: no matter');
    store.close();
  });

  it('fails a body that takes too long, and aborts its signal', async () => {
    const store = withStaff(folder.path, 1);
    let wasAborted = false;
    const { failures } = await drain(
      defineRecordPipeline(store, {
        name: 'staff',
        processor,
        steps: [
          step({
            label: 'greet',
            timeout: 50,
            records: (s) => s.employee.where({ processed: false }),
            each: async ({ signal, record: employee }) => {
              await delay(10_000, undefined, { signal }).catch(() => {
                wasAborted = true;
              });
              employee.update({ processed: true });
            },
          }),
        ],
      }),
    );
    expect(failures).toMatchObject([{ name: 'BodyTimeout', recordId: 1 }]);
    expect(wasAborted).toBe(true);
    expect(store.employee.find(1).processed).toBe(false);
    store.close();
  });
});
