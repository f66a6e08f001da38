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
}
