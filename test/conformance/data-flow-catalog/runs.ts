import { describe, expect, it } from '@jest/globals';
import {
  after,
  claimed,
  completeRun,
  declaration,
  NOON,
  request,
  type OpenFlows,
} from './flows.js';

/** What is told of runs. */
export function testRuns(flows: OpenFlows): void {
  const fiveRuns = async (): Promise<void> => {
    await flows.catalog.declare([declaration(), declaration({ name: 'customers' })], NOON);
    await completeRun(flows.catalog, { flow: 'customers' });
    for (const status of ['success', 'failed', 'success', 'cancelled'] as const)
      await completeRun(flows.catalog, { now: after(1) }, status);
    claimed(await flows.catalog.claim(request({ now: after(2) })));
  };

  describe('the runs of a flow', () => {
    it('are listed newest first, page by page', async () => {
      await fiveRuns();
      const page = async (query: Parameters<typeof flows.catalog.runs>[1]) =>
        (await flows.catalog.runs('orders', query)).map(({ runSeq }) => runSeq);
      expect(await page({ limit: 10 })).toEqual([5, 4, 3, 2, 1]);
      expect(await page({ limit: 2 })).toEqual([5, 4]);
      expect(await page({ limit: 2, before: 4 })).toEqual([3, 2]);
      expect(await page({ limit: 2, before: 1 })).toEqual([]);
      expect(await page({ limit: 10, status: 'success' })).toEqual([3, 1]);
      expect(await page({ limit: 10, status: 'success', before: 3 })).toEqual([1]);
      expect(await page({ limit: 10, status: 'pending' })).toEqual([5]);
      expect(await page({ limit: 10, status: 'in_progress' })).toEqual([]);
    });

    it('are none of a flow that is not there', async () => {
      expect(await flows.catalog.runs('nope', { limit: 10 })).toEqual([]);
      expect(await flows.catalog.run('nope', 1)).toBeUndefined();
    });

    it('are found by id and by number', async () => {
      await fiveRuns();
      const [, run] = await flows.catalog.runs('orders', { limit: 2 });
      expect(run).toMatchObject({ flow: 'orders', runSeq: 4, status: 'cancelled' });
      expect(await flows.catalog.run('orders', run!.id)).toEqual(run);
      expect(await flows.catalog.run('orders', 4)).toEqual(run);
      expect(await flows.catalog.run('customers', run!.id)).toBeUndefined();
    });

    it.each([0, -1, 6, 1.5, Number.NaN, 1e300, '', '4', 'nope', '\0', '01K\u{1F600}'])(
      'are not found by what names none: %j',
      async (id) => {
        await fiveRuns();
        expect(await flows.catalog.run('orders', id)).toBeUndefined();
      },
    );
  });

  describe('the runs of all flows', () => {
    it('are listed newest first, whichever flow they are of', async () => {
      await fiveRuns();
      const listed = async (query: Parameters<typeof flows.catalog.latestRuns>[0]) =>
        (await flows.catalog.latestRuns(query)).map(({ flow, runSeq }) => [flow, runSeq]);
      const all = await listed({ limit: 10 });
      expect(all[0]).toEqual(['orders', 5]);
      expect(all[5]).toEqual(['customers', 1]);
      expect(all).toHaveLength(6);
      expect(await listed({ limit: 1 })).toEqual([['orders', 5]]);
      expect(await listed({ limit: 1, status: 'failed' })).toEqual([['orders', 2]]);
    });
  });

  describe('runs of long ago', () => {
    const statuses = ['success', 'failed', 'success', 'failed', 'cancelled'] as const;
    const ofFlow = async (flow: string) =>
      (await flows.catalog.runs(flow, { limit: 1_000 })).map(({ runSeq }) => runSeq);

    it('are removed with their rejections, but for the latest of each flow and its latest success', async () => {
      const { catalog } = flows;
      await catalog.declare([declaration(), declaration({ name: 'customers' })], NOON);
      await completeRun(catalog, { flow: 'customers' });
      const first = claimed(await catalog.claim(request()));
      await catalog.begin(first, { plan: {}, now: NOON });
      const row = { rowNumber: 1, phase: 'reads', reason: 'r', row: 1 } as const;
      await catalog.keepRejections(first, [row], NOON);
      await catalog.end(first, { status: 'success', now: NOON });
      for (const [at, status] of statuses.entries())
        await completeRun(catalog, { now: after(at + 1) }, status);

      expect([await catalog.trimmable(NOON), await catalog.trim(NOON)]).toEqual([0, 0]);
      expect([await catalog.trimmable(after(3)), await catalog.trim(after(3))]).toEqual([3, 3]);
      expect(await ofFlow('orders')).toEqual([6, 5, 4]);
      expect(await catalog.rejections(first, { limit: 1 })).toEqual([]);
      expect(await catalog.trim(after(1_000))).toBe(1);
      // The latest, and the latest success.
      expect(await ofFlow('orders')).toEqual([6, 4]);
      expect(await ofFlow('customers')).toEqual([1]);
      expect(await catalog.flow('orders')).toMatchObject({ lastRunSeq: 6 });
      expect(claimed(await catalog.claim(request({ now: after(9) }))).runSeq).toBe(7);
    });

    it('leave what comes after them where it is', async () => {
      const { catalog } = flows;
      await catalog.declare([declaration(), declaration({ name: 'customers' })], NOON);
      await completeRun(catalog, { flow: 'customers' });
      const following = { trigger: 'after', after: ['customers'] } as const;
      await completeRun(catalog, following);
      await completeRun(catalog, { flow: 'customers', now: after(1) }, 'failed');
      await catalog.trim(after(1_000));
      expect(await catalog.claim(request(following))).toEqual({ kind: 'waiting' });
      await completeRun(catalog, { flow: 'customers', now: after(2) });
      expect(claimed(await catalog.claim(request(following))).runSeq).toBe(2);
    });

    it('can be many, and those that go on are none of them', async () => {
      const { catalog } = flows;
      await catalog.declare([declaration()], NOON);
      for (let run = 0; run < 250; run += 1) await completeRun(catalog);
      claimed(await catalog.claim(request()));
      expect(await catalog.trim(after(1))).toBe(249);
      expect(await ofFlow('orders')).toEqual([251, 250]);
    });
  });
}
