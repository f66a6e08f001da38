import { describe, expect, it } from '@jest/globals';
import type { Claim, ClaimRequest } from '../../../src/data-flow/catalog.js';
import { NO_ROWS } from '../../../src/data-flow/row.js';
import {
  after,
  begunRun,
  claimed,
  completeRun,
  declaration,
  NOON,
  request,
  type OpenFlows,
} from './flows.js';

/** Who may run a flow. */
export function testClaims(flows: OpenFlows): void {
  const kindOf = async (change: Partial<ClaimRequest> = {}): Promise<Claim['kind']> =>
    (await flows.catalog.claim(request(change))).kind;

  describe('a claim', () => {
    it('of a schedule is made once for each time, also when the run for it is over', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const times = [after(0), after(60)].map((scheduledAt) => ({
        trigger: 'schedule' as const,
        scheduledAt,
      }));
      await completeRun(flows.catalog, times[0], 'failed');
      expect(await flows.catalog.claim(request(times[0]))).toMatchObject({
        kind: 'over',
        run: { runSeq: 1, status: 'failed' },
      });
      await completeRun(flows.catalog);
      expect(await kindOf(times[0])).toBe('over');
      // Somebody asks for it again.
      await completeRun(flows.catalog, { ...times[0], trigger: 'backfill' });
      await completeRun(flows.catalog, { ...times[0], trigger: 'backfill' });
      expect(await kindOf(times[1])).toBe('claimed');
    });

    it('makes a run that is pending', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const scheduledAt = after(-3);
      const claim = await flows.catalog.claim(
        request({ trigger: 'schedule', scheduledAt, principal: 'ann', now: after(1) }),
      );
      expect(claim).toEqual({
        kind: 'claimed',
        run: {
          id: expect.stringMatching(/^[0-9A-Z]{26}$/),
          flow: 'orders',
          runSeq: 1,
          status: 'pending',
          trigger: 'schedule',
          workflowId: 'flow/orders/1',
          createdAt: after(1),
          startedAt: after(1),
          endedAt: null,
          errorMessage: null,
          errorBacktrace: null,
          firstCursor: null,
          lastCursor: null,
          counts: NO_ROWS,
          scheduledAt,
          plan: null,
          principal: 'ann',
        },
      });
      expect(await flows.catalog.run('orders', 1)).toEqual(claimed(claim));
      expect(await flows.catalog.flow('orders')).toMatchObject({
        lastRunSeq: 1,
        lastRunAt: null,
        lastRunStatus: null,
      });
    });

    it('counts the runs of each flow by itself', async () => {
      await flows.catalog.declare([declaration(), declaration({ name: 'customers' })], NOON);
      await completeRun(flows.catalog);
      expect(await completeRun(flows.catalog)).toMatchObject({ runSeq: 2 });
      expect(await completeRun(flows.catalog, { flow: 'customers' })).toMatchObject({ runSeq: 1 });
    });

    it('of a flow that is not there is told so', async () => {
      expect(await kindOf({ flow: 'nope' })).toBe('unknown');
    });

    it('is told of the run that is active, pending or in progress', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const run = claimed(await flows.catalog.claim(request()));
      expect(await flows.catalog.claim(request())).toEqual({ kind: 'active', run });
      await flows.catalog.begin(run, { plan: {}, now: after(1) });
      expect(await flows.catalog.claim(request())).toMatchObject({
        kind: 'active',
        run: { id: run.id, status: 'in_progress' },
      });
    });

    it.each(['success', 'failed', 'cancelled'] as const)(
      'is free again when the run is over: %s',
      async (status) => {
        await flows.catalog.declare([declaration()], NOON);
        await completeRun(flows.catalog, {}, status);
        expect(await kindOf()).toBe('claimed');
      },
    );

    it('looks at enabled only when it is asked to', async () => {
      await flows.catalog.declare([declaration({ enabled: false })], NOON);
      expect(await kindOf({ onlyEnabled: true })).toBe('disabled');
      expect(await kindOf({ onlyEnabled: false })).toBe('claimed');
    });

    it('looks at the interval only when it is asked to, from the beginning of the last run on', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const { runSeq } = claimed(await flows.catalog.claim(request({ onlyDue: true })));
      const ref = { flow: 'orders', runSeq };
      await flows.catalog.begin(ref, { plan: {}, now: after(10) });
      await flows.catalog.end(ref, { status: 'failed', now: after(50) });
      expect(await kindOf({ onlyDue: true, now: after(69.999) })).toBe('not_due');
      expect(await kindOf({ onlyDue: true, now: after(70) })).toBe('claimed');
    });

    it('is never due again without an interval', async () => {
      await flows.catalog.declare([declaration({ runInterval: null })], NOON);
      await completeRun(flows.catalog, { onlyDue: true });
      expect(await kindOf({ onlyDue: true, now: after(1e6) })).toBe('not_due');
      expect(await kindOf()).toBe('claimed');
    });

    it('is answered with the first that is wrong: active, disabled, not due, waiting', async () => {
      const { catalog } = flows;
      await catalog.declare([declaration()], NOON);
      const all = { trigger: 'after', after: ['nope'], onlyEnabled: true, onlyDue: true } as const;
      const ref = await begunRun(catalog);
      await catalog.change('orders', () => ({ enabled: false }), NOON);
      expect(await kindOf(all)).toBe('active');
      await catalog.end(ref, { status: 'success', now: NOON });
      expect(await kindOf(all)).toBe('disabled');
      await catalog.change('orders', () => ({ enabled: true }), NOON);
      expect(await kindOf(all)).toBe('not_due');
      expect(await kindOf({ ...all, now: after(60) })).toBe('waiting');
    });

    it('that is not granted changes nothing', async () => {
      await flows.catalog.declare([declaration({ enabled: false })], NOON);
      const before = await flows.catalog.flow('orders');
      await kindOf({ onlyEnabled: true, now: after(1) });
      expect(await flows.catalog.flow('orders')).toEqual(before);
      expect(await flows.catalog.runs('orders', { limit: 10 })).toEqual([]);
    });

    it('is granted to exactly one of 50 that come at the same time over several connections', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const catalogs = [flows.catalog, await flows.another(), await flows.another()];
      for (const runSeq of [1, 2]) {
        const claims = await Promise.all(
          Array.from({ length: 50 }, (_, index) =>
            catalogs[index % catalogs.length]!.claim(request()),
          ),
        );
        const granted = claims.filter(({ kind }) => kind === 'claimed');
        expect(granted).toMatchObject([{ run: { runSeq } }]);
        expect(claims.filter(({ kind }) => kind === 'active')).toHaveLength(49);
        await flows.catalog.end({ flow: 'orders', runSeq }, { status: 'success', now: NOON });
      }
      expect(await flows.catalog.runs('orders', { limit: 10 })).toHaveLength(2);
    });
  });

  describe('a flow that comes after others', () => {
    const AFTER = ['orders', 'customers'] as const;
    const report = (change: Partial<ClaimRequest> = {}): Partial<ClaimRequest> => ({
      flow: 'report',
      trigger: 'after',
      after: AFTER,
      ...change,
    });
    const declareAll = (): Promise<void> =>
      flows.catalog.declare(
        ['orders', 'customers', 'report'].map((name) => declaration({ name })),
        NOON,
      );

    it('waits until each of them has succeeded', async () => {
      await declareAll();
      expect(await kindOf(report())).toBe('waiting');
      await completeRun(flows.catalog, { flow: 'orders' });
      expect(await kindOf(report())).toBe('waiting');
      await completeRun(flows.catalog, { flow: 'customers' }, 'failed');
      expect(await kindOf(report())).toBe('waiting');
      await completeRun(flows.catalog, { flow: 'customers' });
      expect(await kindOf(report())).toBe('claimed');
    });

    it('waits until each of them has succeeded since its own last run was claimed', async () => {
      await declareAll();
      await completeRun(flows.catalog, { flow: 'orders' });
      await completeRun(flows.catalog, { flow: 'customers' });
      const run = claimed(await flows.catalog.claim(request(report())));
      // While it runs: it has not seen what this one has written.
      await completeRun(flows.catalog, { flow: 'orders' });
      await flows.catalog.end(run, { status: 'failed', now: NOON });
      expect(await kindOf(report())).toBe('waiting');
      await completeRun(flows.catalog, { flow: 'customers' });
      await completeRun(flows.catalog, { flow: 'customers' }, 'failed');
      expect(await kindOf(report())).toBe('claimed');
    });

    it('does not wait with another trigger, which counts as its last run all the same', async () => {
      await declareAll();
      await completeRun(flows.catalog, { flow: 'orders' });
      await completeRun(flows.catalog, { flow: 'customers' });
      await completeRun(flows.catalog, report({ trigger: 'manual' }));
      expect(await kindOf(report())).toBe('waiting');
    });

    it('has seen nothing of flows that were not named at its last run', async () => {
      await declareAll();
      await completeRun(flows.catalog, { flow: 'orders' });
      await completeRun(flows.catalog, { flow: 'customers' });
      await completeRun(flows.catalog, report({ after: ['customers'] }));
      await completeRun(flows.catalog, { flow: 'customers' });
      expect(await kindOf(report())).toBe('claimed');
    });

    it('waits for one that is not there', async () => {
      await declareAll();
      await completeRun(flows.catalog, { flow: 'orders' });
      expect(await kindOf(report({ after: ['orders', 'nope'] }))).toBe('waiting');
      expect(await kindOf(report({ after: ['orders'] }))).toBe('claimed');
    });
  });

  describe('active runs', () => {
    it('are those of all flows, oldest first, as many as are asked for', async () => {
      const names = ['a', 'b', 'c', 'd'];
      await flows.catalog.declare(
        names.map((name) => declaration({ name })),
        NOON,
      );
      for (const [index, flow] of ['c', 'a', 'b', 'd'].entries()) {
        const run = claimed(await flows.catalog.claim(request({ flow, now: after(index) })));
        if (flow === 'a') await flows.catalog.begin(run, { plan: {}, now: after(9) });
        if (flow === 'd') await flows.catalog.end(run, { status: 'cancelled', now: after(9) });
      }
      const active = async (limit: number) =>
        (await flows.catalog.activeRuns(limit)).map(({ flow, status }) => [flow, status]);
      const all = [
        ['c', 'pending'],
        ['a', 'in_progress'],
        ['b', 'pending'],
      ];
      expect(await active(10)).toEqual(all);
      expect(await active(2)).toEqual(all.slice(0, 2));
    });
  });
}
