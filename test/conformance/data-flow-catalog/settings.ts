import { describe, expect, it } from '@jest/globals';
import type {
  DataFlowCatalog,
  FlowDeclaration,
  FlowRecord,
} from '../../../src/data-flow/catalog.js';
import {
  after,
  begunRun,
  claimed,
  completeRun,
  declaration,
  NOON,
  PLAN,
  positionAt,
  request,
  type OpenFlows,
} from './flows.js';

/** Flows: what the code says, what an operator changes, where they are. */
export function testSettings(flows: OpenFlows): void {
  const stored = async (name = 'orders'): Promise<FlowRecord> => {
    const flow = await flows.catalog.flow(name);
    if (flow === undefined) throw new Error(`there is no flow ${name}`);
    return flow;
  };
  const declare = (change: Partial<FlowDeclaration> = {}, now = NOON): Promise<void> =>
    flows.catalog.declare([declaration(change)], now);

  describe('a flow that is declared', () => {
    it('is there as the code says, and has never run', async () => {
      await declare();
      expect(await stored()).toEqual({
        ...declaration(),
        id: expect.stringMatching(/^[0-9A-Z]{26}$/),
        note: null,
        lastRunAt: null,
        lastRunStatus: null,
        cursor: null,
        lastRunSeq: 0,
        seenAt: NOON,
        backfills: [],
        createdAt: NOON,
        updatedAt: NOON,
      });
    });

    it('can have neither a description nor an interval', async () => {
      await declare({ description: null, runInterval: null });
      expect(await stored()).toMatchObject({ description: null, runInterval: null });
    });

    it('is among all flows, by name', async () => {
      const names = ['b', 'a', 'C', 'a-b', 'a.b', 'ab'];
      await flows.catalog.declare(
        names.map((name) => declaration({ name })),
        NOON,
      );
      const listed = (await flows.catalog.flows()).map(({ name }) => name);
      expect(listed).toEqual([...names].sort());
    });

    it('is not there under another name', async () => {
      await declare();
      expect(await flows.catalog.flow('Orders')).toBeUndefined();
      expect(await flows.catalog.flow('or\0ders')).toBeUndefined();
      expect(await flows.catalog.flow("orders' or 1=1 --")).toBeUndefined();
    });

    it('is seen again with each declaration, and updated only by one that changes it', async () => {
      await declare();
      await declare({}, after(10));
      expect(await stored()).toMatchObject({ seenAt: after(10), updatedAt: NOON });
      await declare({ description: 'Copies them all.' }, after(20));
      expect(await stored()).toMatchObject({
        seenAt: after(20),
        createdAt: NOON,
        updatedAt: after(20),
      });
    });

    it('stays as it is when other flows are declared without it', async () => {
      await declare();
      await declare({ name: 'customers' }, after(10));
      expect(await stored()).toMatchObject({ seenAt: NOON });
      expect(await flows.catalog.flows()).toHaveLength(2);
    });

    it('is seen by name, which changes nothing else and makes no flow of a name that is not known', async () => {
      await declare();
      await declare({ name: 'customers' });
      const before = await stored();
      await flows.catalog.touch(['nope', 'orders', 'or\0ders'], after(10));
      await flows.catalog.touch([], after(20));
      expect(await stored()).toEqual({ ...before, seenAt: after(10) });
      expect(await stored('customers')).toMatchObject({ seenAt: NOON });
      expect(await flows.catalog.flows()).toHaveLength(2);
    });

    it('is seen by several processes with many flows at the same time', async () => {
      const names = Array.from({ length: 600 }, (_, at) => `f${String(at)}`);
      await flows.catalog.declare(
        names.map((name) => declaration({ name })),
        NOON,
      );
      const another = await flows.another();
      await Promise.all([
        flows.catalog.touch(names, after(10)),
        another.touch([...names].reverse(), after(10)),
      ]);
      await flows.catalog.touch(names, after(10));
      const seen = new Set((await flows.catalog.flows()).map(({ seenAt }) => seenAt.getTime()));
      expect([...seen]).toEqual([after(10).getTime()]);
    });

    it('keeps its cursor and history', async () => {
      const ref = await begunRun(flows.catalog);
      const to = positionAt(1, { id: 7 });
      await flows.catalog.advance(ref, { from: 0, to, rejections: [], now: NOON });
      await declare({ enabled: false }, after(10));
      expect(await stored()).toMatchObject({ cursor: { id: 7 }, lastRunSeq: 1, enabled: false });
    });
  });

  describe('a declaration that changes', () => {
    it('changes what no operator has changed', async () => {
      await declare();
      const next = { enabled: false, runInterval: 30, configuration: { batch: 50, mode: 'full' } };
      await declare({ ...next, description: 'New.', heartbeat: false });
      expect(await stored()).toMatchObject({ ...next, description: 'New.', heartbeat: false });
      expect((await stored()).configuration).toEqual(next.configuration);
    });

    it("leaves an operator's changes alone, value by value", async () => {
      await declare();
      await flows.catalog.change('orders', () => ({ enabled: false, runInterval: 5 }), NOON);
      await declare({ configuration: { batch: 100 } });
      await declare({ configuration: { batch: 100 }, runInterval: 90, description: 'New.' });
      expect(await stored()).toMatchObject({
        enabled: false,
        runInterval: 5,
        configuration: { batch: 100 },
        description: 'New.',
      });
    });

    it("leaves an operator's members of the configuration alone, and changes the others", async () => {
      await declare({ configuration: { kept: 1, changed: 1, removed: 1, dropped: 1 } });
      const configuration = { kept: 1, changed: 2, dropped: 1, added: [1, { a: null }] };
      await flows.catalog.change('orders', () => ({ configuration }), NOON);
      await declare({ configuration: { kept: 3, changed: 3, removed: 3, fresh: 3 } });
      expect((await stored()).configuration).toEqual({
        kept: 3,
        changed: 2,
        added: [1, { a: null }],
        fresh: 3,
      });
    });

    it('has a value back once an operator has set what the code says', async () => {
      await declare();
      await flows.catalog.change('orders', () => ({ runInterval: 5 }), NOON);
      await declare({ runInterval: 90 });
      expect(await stored()).toMatchObject({ runInterval: 5 });
      await flows.catalog.change('orders', () => ({ runInterval: 90 }), NOON);
      await declare({ runInterval: 120 });
      expect(await stored()).toMatchObject({ runInterval: 120 });
    });

    it('does not take the order of members for a change', async () => {
      await declare({ configuration: { filter: { a: 1, b: 2 } } });
      const configuration = { filter: { b: 2, a: 1 } };
      await flows.catalog.change('orders', () => ({ configuration }), NOON);
      await declare({ configuration: { filter: { a: 9 } } });
      expect((await stored()).configuration).toEqual({ filter: { a: 9 } });
    });

    it('is safe when several processes declare at the same time', async () => {
      const others = [flows.catalog, await flows.another(), await flows.another()];
      const names = ['a', 'b', 'c', 'd', 'e'];
      await Promise.all(
        others.map((catalog, index) =>
          catalog.declare(
            // In different orders, so that they meet.
            (index === 1 ? [...names].reverse() : names).map((name) => declaration({ name })),
            NOON,
          ),
        ),
      );
      expect((await flows.catalog.flows()).map(({ name }) => name)).toEqual(names);
    });
  });

  describe('an operator', () => {
    it('changes what is given and nothing else', async () => {
      await declare();
      const before = await stored();
      const changed = await flows.catalog.change('orders', () => ({ enabled: false }), after(5));
      expect(changed).toEqual({ ...before, enabled: false, updatedAt: after(5) });
      expect(await stored()).toEqual(changed);
      const configuration = { deep: [1.5, { 'ключ "': '\u0000\ud800 é', emoji: '😀' }] };
      await flows.catalog.change('orders', () => ({ runInterval: 1, configuration }), after(6));
      expect(await stored()).toMatchObject({ enabled: false, runInterval: 1, configuration });
    });

    it('notes why a flow is not enabled, which is kept until it is', async () => {
      await declare({ enabled: false });
      const pause = () => ({ enabled: false, note: "stock\0taking; 'tis \u{1F4E6}" });
      const paused = await flows.catalog.change('orders', pause, NOON);
      expect(paused?.note).toBe("stock\uFFFDtaking; 'tis \u{1F4E6}");
      await flows.catalog.change('orders', () => ({ runInterval: 5 }), NOON);
      await declare({ enabled: false, description: 'New.' });
      expect(await stored()).toMatchObject({ enabled: false, note: paused?.note });
      await flows.catalog.change('orders', () => ({ enabled: true }), NOON);
      expect(await stored()).toMatchObject({ enabled: true, note: null });
    });

    it('has no note any more when the code enables what nobody else has disabled', async () => {
      await declare({ enabled: false });
      await flows.catalog.change('orders', () => ({ enabled: false, note: 'not yet' }), NOON);
      await declare({ enabled: true });
      expect(await stored()).toMatchObject({ enabled: true, note: null });
    });

    it('decides by the flow as it is, so that two at the same time both have what they want', async () => {
      await declare({ configuration: { a: 0, b: 0 } });
      const set = (catalog: DataFlowCatalog, member: string) =>
        catalog.change(
          'orders',
          ({ configuration }) => ({ configuration: { ...configuration, [member]: 1 } }),
          NOON,
        );
      const another = await flows.another();
      for (let round = 0; round < 10; round += 1) {
        const [a, b] = [`a${String(round)}`, `b${String(round)}`];
        await Promise.all([set(flows.catalog, a), set(another, b)]);
        expect((await stored()).configuration).toMatchObject({ [a]: 1, [b]: 1 });
      }
    });

    it('changes nothing when it cannot decide, and the next one decides', async () => {
      await declare();
      const before = await stored();
      const refused = flows.catalog.change(
        'orders',
        () => {
          throw new Error('not like that');
        },
        after(5),
      );
      await expect(refused).rejects.toThrow('not like that');
      expect(await stored()).toEqual(before);
      const changed = await flows.catalog.change('orders', () => ({ enabled: false }), after(6));
      expect(changed).toEqual({ ...before, enabled: false, updatedAt: after(6) });
    });

    it('cannot change a flow that is not there', async () => {
      expect(await flows.catalog.change('nope', () => ({ enabled: false }), NOON)).toBeUndefined();
    });

    it('removes a flow with its runs, but not while one is active', async () => {
      const ref = await begunRun(flows.catalog);
      const rejections = [{ rowNumber: 1, phase: 'reads', reason: 'r', row: 1 }] as const;
      await flows.catalog.keepRejections(ref, rejections, NOON);
      expect(await flows.catalog.remove('orders')).toBe(false);
      expect(await flows.catalog.flow('orders')).toBeDefined();
      await flows.catalog.end(ref, { status: 'success', now: NOON });
      expect(await flows.catalog.remove('orders')).toBe(true);
      expect(await flows.catalog.flow('orders')).toBeUndefined();
      expect(await flows.catalog.runs('orders', { limit: 10 })).toEqual([]);
      expect(await flows.catalog.rejections(ref, { limit: 10 })).toEqual([]);
      expect(await flows.catalog.remove('orders')).toBe(false);
    });

    it('asks for ranges to be run again, of which the last 20 are kept', async () => {
      await declare();
      const range = (day: number) => ({
        start: `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`,
        end: '2026-02-01T00:00:00.000Z',
        requestedAt: NOON.toISOString(),
      });
      const ranges = Array.from({ length: 23 }, (_, index) => range(index + 1));
      for (const it of ranges) await flows.catalog.addBackfill('orders', it);
      expect((await stored()).backfills).toEqual(ranges.slice(-20));
      await flows.catalog.addBackfill('nope', range(1));
    });
  });

  describe('a cursor that is set by hand', () => {
    it('is where the next run goes on, past what the sink has kept', async () => {
      const ref = await begunRun(flows.catalog);
      const to = positionAt(1, { id: 7 }, { sinkState: { bytes: 10 } });
      await flows.catalog.advance(ref, { from: 0, to, rejections: [], now: NOON });
      await flows.catalog.end(ref, { status: 'success', now: NOON });
      expect(await flows.catalog.setCursor('orders', { id: 3 }, after(1))).toBe(true);
      expect(await stored()).toMatchObject({ cursor: { id: 3 }, lastRunSeq: 2 });
      const run = claimed(await flows.catalog.claim(request({ now: after(2) })));
      expect(run).toMatchObject({ runSeq: 3, workflowId: 'flow/orders/3' });
      expect(await flows.catalog.begin(run, { plan: PLAN, now: after(2) })).toMatchObject({
        runSeq: 2,
        step: 2,
        cursor: { id: 3 },
        sinkState: null,
        counts: { read: 0 },
      });
    });

    it('can be the beginning', async () => {
      const ref = await begunRun(flows.catalog);
      const to = positionAt(1, 'c');
      await flows.catalog.advance(ref, { from: 0, to, rejections: [], now: NOON });
      await flows.catalog.end(ref, { status: 'failed', now: NOON });
      expect(await flows.catalog.setCursor('orders', null, after(1))).toBe(true);
      expect(await stored()).toMatchObject({ cursor: null });
    });

    it('is refused while a run is active, and for a flow that is not there', async () => {
      const ref = await begunRun(flows.catalog);
      expect(await flows.catalog.setCursor('orders', 1, NOON)).toBe(false);
      expect(await stored()).toMatchObject({ cursor: null, lastRunSeq: 1 });
      await flows.catalog.end(ref, { status: 'success', now: NOON });
      expect(await flows.catalog.setCursor('nope', 1, NOON)).toBe(false);
    });
  });

  describe('flows that are due', () => {
    it('are the enabled heartbeat flows that have never run or whose interval has passed, by name', async () => {
      const { catalog } = flows;
      await catalog.declare(
        [
          declaration({ name: 'b-never-ran' }),
          declaration({ name: 'a-passed' }),
          declaration({ name: 'too-early', runInterval: 61 }),
          declaration({ name: 'disabled', enabled: false }),
          declaration({ name: 'no-heartbeat', heartbeat: false }),
          declaration({ name: 'no-interval', runInterval: null }),
        ],
        NOON,
      );
      for (const flow of ['a-passed', 'too-early', 'no-interval'])
        await completeRun(catalog, { flow });
      const due = async (now: Date) => (await catalog.due(now)).map(({ name }) => name);
      expect(await due(after(59.999))).toEqual(['b-never-ran']);
      expect(await due(after(60))).toEqual(['a-passed', 'b-never-ran']);
      expect((await catalog.due(after(60)))[1]).toEqual(await stored('b-never-ran'));
      expect(await due(after(61))).toEqual(['a-passed', 'b-never-ran', 'too-early']);
    });

    it('include those whose run is active', async () => {
      await begunRun(flows.catalog);
      expect(await flows.catalog.due(after(1_000))).toHaveLength(1);
    });
  });
}
