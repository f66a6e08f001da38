import { describe, expect, it } from '@jest/globals';
import type { FlowRunRef } from '../../../src/data-flow/catalog.js';
import type { FlowPosition } from '../../../src/data-flow/position.js';
import { NO_ROWS, type Rejection } from '../../../src/data-flow/row.js';
import {
  after,
  begunRun,
  claimed,
  countsOf,
  declaration,
  NOON,
  PLAN,
  positionAt,
  request,
  type OpenFlows,
} from './flows.js';

const START: FlowPosition = { runSeq: 0, step: 0, cursor: null, sinkState: null, counts: NO_ROWS };

/** What a run does to its flow: begins, moves it on, ends. */
export function testProgress(flows: OpenFlows): void {
  const advance = (
    ref: FlowRunRef,
    from: number | undefined,
    to: FlowPosition,
    rejections: readonly Rejection[] = [],
  ): Promise<boolean> => flows.catalog.advance(ref, { from, to, rejections, now: after(to.step) });

  describe('a run that begins', () => {
    it('is in progress, with its plan and the time, and is told where the flow is', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const run = claimed(await flows.catalog.claim(request()));
      expect(await flows.catalog.position(run)).toBeUndefined();
      expect(await flows.catalog.begin(run, { plan: PLAN, now: after(2) })).toEqual(START);
      expect(await flows.catalog.run('orders', 1)).toEqual({
        ...run,
        status: 'in_progress',
        startedAt: after(2),
        plan: PLAN,
      });
      expect(await flows.catalog.position(run)).toEqual(START);
    });

    it('begins again with its own time, plan and first cursor', async () => {
      const ref = await begunRun(flows.catalog);
      await advance(ref, 0, positionAt(1, 'a'));
      const before = await flows.catalog.run('orders', 1);
      expect(await flows.catalog.begin(ref, { plan: { other: true }, now: after(9) })).toEqual(
        positionAt(1, 'a'),
      );
      expect(await flows.catalog.run('orders', 1)).toEqual(before);
    });

    it('goes on where the last one was, with counts of its own', async () => {
      const first = await begunRun(flows.catalog);
      await advance(first, 0, positionAt(1, { page: 2 }, { sinkState: { bytes: 9 } }));
      await flows.catalog.end(first, { status: 'failed', now: NOON });
      const second = claimed(await flows.catalog.claim(request()));
      expect(await flows.catalog.begin(second, { plan: PLAN, now: after(5) })).toEqual(
        positionAt(1, { page: 2 }, { sinkState: { bytes: 9 }, counts: NO_ROWS }),
      );
      expect(await flows.catalog.run('orders', 2)).toMatchObject({
        firstCursor: { page: 2 },
        lastCursor: null,
      });
    });

    it('does not begin when it is over, or was never claimed', async () => {
      const ref = await begunRun(flows.catalog);
      await flows.catalog.end(ref, { status: 'cancelled', now: NOON });
      const begun = { plan: PLAN, now: after(1) };
      expect(await flows.catalog.begin(ref, begun)).toBeUndefined();
      expect(await flows.catalog.position(ref)).toBeUndefined();
      expect(await flows.catalog.begin({ ...ref, runSeq: 9 }, begun)).toBeUndefined();
      expect(await flows.catalog.begin({ ...ref, flow: 'nope' }, begun)).toBeUndefined();
      expect(await flows.catalog.position({ ...ref, flow: 'nope' })).toBeUndefined();
      expect(await flows.catalog.run('orders', 1)).toMatchObject({ status: 'cancelled' });
    });
  });

  describe('a run that moves its flow on', () => {
    it('keeps cursor, state of the sink and counts', async () => {
      const ref = await begunRun(flows.catalog);
      const first = positionAt(1, { id: 7 }, { sinkState: { bytes: 120 } });
      expect(await advance(ref, 0, first)).toBe(true);
      expect(await flows.catalog.position(ref)).toEqual(first);
      const second = positionAt(2, { id: 9 });
      expect(await advance(ref, 1, second)).toBe(true);
      expect(await flows.catalog.position(ref)).toEqual(second);
      expect(await flows.catalog.flow('orders')).toMatchObject({ cursor: { id: 9 } });
      expect(await flows.catalog.run('orders', 1)).toMatchObject({
        counts: countsOf(2),
        firstCursor: null,
        lastCursor: { id: 9 },
      });
    });

    it('keeps every count, and large ones', async () => {
      const ref = await begunRun(flows.catalog);
      const large = 9e15;
      const counts = {
        read: large,
        written: 2,
        rejected: 3,
        skipped: 4,
        new: 5,
        updated: 6,
        redundant: 7,
        unpredictable: 8,
        batches: 9,
      };
      await advance(ref, 0, positionAt(1, null, { counts }));
      expect(await flows.catalog.position(ref)).toMatchObject({ counts });
      expect(await flows.catalog.run('orders', 1)).toMatchObject({ counts });
    });

    it.each([
      null,
      '',
      'text with "quotes", \u0000 and half \ud83d of a pair',
      0,
      -1.5e-7,
      Number.MAX_SAFE_INTEGER,
      true,
      [],
      [null, [1]],
      { z: 1, a: { '': null } },
    ])('gets its cursor back as it was: %j', async (cursor) => {
      const ref = await begunRun(flows.catalog);
      await advance(ref, 0, positionAt(1, cursor, { sinkState: cursor }));
      const position = await flows.catalog.position(ref);
      expect(position).toEqual(positionAt(1, cursor, { sinkState: cursor }));
      // The order of members too.
      expect(JSON.stringify(position?.cursor)).toBe(JSON.stringify(cursor));
    });

    it('does not move it from another step than it says', async () => {
      const ref = await begunRun(flows.catalog);
      await advance(ref, 0, positionAt(1, 'a'));
      expect(await advance(ref, 0, positionAt(1, 'late'))).toBe(false);
      expect(await advance(ref, 2, positionAt(3, 'early'))).toBe(false);
      expect(await flows.catalog.position(ref)).toEqual(positionAt(1, 'a'));
    });

    it('moves it past any earlier step where the sink keeps the position', async () => {
      const ref = await begunRun(flows.catalog);
      expect(await advance(ref, undefined, positionAt(4, 'd'))).toBe(true);
      expect(await advance(ref, undefined, positionAt(4, 'other'))).toBe(false);
      expect(await advance(ref, undefined, positionAt(3, 'c'))).toBe(false);
      expect(await flows.catalog.position(ref)).toEqual(positionAt(4, 'd'));
      expect(await advance(ref, undefined, positionAt(5, 'e'))).toBe(true);
    });

    it('keeps the rejected rows with it, or nothing', async () => {
      const ref = await begunRun(flows.catalog);
      const rejected = (rowNumber: number): readonly Rejection[] => [
        { rowNumber, phase: 'transform', reason: 'odd', row: { rowNumber } },
      ];
      expect(await advance(ref, 0, positionAt(1, 'a'), rejected(1))).toBe(true);
      expect(await advance(ref, 0, positionAt(1, 'a'), rejected(2))).toBe(false);
      expect(await flows.catalog.rejections(ref, { limit: 10 })).toEqual([
        { ...rejected(1)[0], createdAt: after(1) },
      ]);
    });

    it('moves it once when two attempts do it at the same time', async () => {
      const ref = await begunRun(flows.catalog);
      const other = await flows.another();
      for (let step = 0; step < 10; step += 1) {
        const move = { from: step, rejections: [], now: NOON };
        const moved = await Promise.all(
          [flows.catalog, other, flows.catalog, other].map((catalog, index) =>
            catalog.advance(ref, { ...move, to: positionAt(step + 1, { by: index }) }),
          ),
        );
        expect(moved.filter(Boolean)).toHaveLength(1);
        expect(await flows.catalog.position(ref)).toMatchObject({
          step: step + 1,
          cursor: { by: moved.indexOf(true) },
        });
      }
    });

    it('does not move it before it has begun, after its end, or after another was claimed', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const first = claimed(await flows.catalog.claim(request()));
      expect(await advance(first, 0, positionAt(1, 'a'))).toBe(false);
      await flows.catalog.begin(first, { plan: PLAN, now: NOON });
      await flows.catalog.end(first, { status: 'failed', now: NOON });
      expect(await advance(first, 0, positionAt(1, 'a'))).toBe(false);
      await begunRun(flows.catalog);
      expect(await advance(first, 0, positionAt(1, 'a'))).toBe(false);
      expect(await advance(first, undefined, positionAt(1, 'a'))).toBe(false);
      expect(await advance({ flow: 'nope', runSeq: 1 }, 0, positionAt(1, 'a'))).toBe(false);
      expect(await flows.catalog.flow('orders')).toMatchObject({ cursor: null });
      expect(await flows.catalog.run('orders', 1)).toMatchObject({ counts: NO_ROWS });
    });

    it('either moves it or finds itself over when it is ended at the same time', async () => {
      const other = await flows.another();
      for (let round = 1; round <= 10; round += 1) {
        const ref = await begunRun(flows.catalog);
        const step = (await flows.catalog.position(ref))!.step;
        const to = positionAt(step + 1, round, { runSeq: round, counts: countsOf(1) });
        const [moved, ended] = await Promise.all([
          other.advance(ref, { from: step, to, rejections: [], now: NOON }),
          flows.catalog.end(ref, { status: 'cancelled', now: NOON }),
        ]);
        expect(ended).toBe(true);
        const { cursor } = (await flows.catalog.flow('orders'))!;
        const { counts } = (await flows.catalog.run('orders', round))!;
        expect([cursor === round, counts.batches === 1]).toEqual([moved, moved]);
      }
    });
  });

  describe('a run that ends', () => {
    it('tells its flow when it began and how it ended', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const ref = claimed(await flows.catalog.claim(request()));
      await flows.catalog.begin(ref, { plan: PLAN, now: after(3) });
      const ending = { now: after(40), errorMessage: 'no disk', errorBacktrace: 'Error\n  at x' };
      expect(await flows.catalog.end(ref, { ...ending, status: 'failed' })).toBe(true);
      expect(await flows.catalog.run('orders', 1)).toMatchObject({
        status: 'failed',
        startedAt: after(3),
        endedAt: after(40),
        errorMessage: 'no disk',
        errorBacktrace: 'Error\n  at x',
      });
      expect(await flows.catalog.flow('orders')).toMatchObject({
        lastRunAt: after(3),
        lastRunStatus: 'failed',
        updatedAt: after(40),
      });
    });

    it('can be one that has never begun', async () => {
      await flows.catalog.declare([declaration()], NOON);
      const ref = claimed(await flows.catalog.claim(request({ now: after(1) })));
      expect(await flows.catalog.end(ref, { status: 'cancelled', now: after(2) })).toBe(true);
      expect(await flows.catalog.run('orders', 1)).toMatchObject({
        status: 'cancelled',
        startedAt: after(1),
        endedAt: after(2),
        errorMessage: null,
        errorBacktrace: null,
      });
      expect(await flows.catalog.flow('orders')).toMatchObject({ lastRunAt: after(1) });
    });

    it('ends once', async () => {
      const ref = await begunRun(flows.catalog);
      await flows.catalog.end(ref, { status: 'success', now: after(1) });
      const before = [await flows.catalog.run('orders', 1), await flows.catalog.flow('orders')];
      expect(await flows.catalog.end(ref, { status: 'failed', now: after(2) })).toBe(false);
      expect(await flows.catalog.end({ ...ref, runSeq: 2 }, { status: 'failed', now: NOON })).toBe(
        false,
      );
      expect(await flows.catalog.end({ ...ref, flow: 'no' }, { status: 'failed', now: NOON })).toBe(
        false,
      );
      expect([await flows.catalog.run('orders', 1), await flows.catalog.flow('orders')]).toEqual(
        before,
      );
    });

    it('can have an error with characters that SQL does not like', async () => {
      const ref = await begunRun(flows.catalog);
      const errorMessage = `it's "odd" \0 — 😀 ${'x'.repeat(100_000)}`;
      await flows.catalog.end(ref, { status: 'failed', now: NOON, errorMessage });
      const run = await flows.catalog.run('orders', 1);
      expect(run?.errorMessage).toBe(errorMessage.replace('\0', '\uFFFD'));
    });
  });
}
