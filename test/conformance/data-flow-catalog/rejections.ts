import { describe, expect, it } from '@jest/globals';
import type { Rejection } from '../../../src/data-flow/row.js';
import type { Json } from '../../../src/definition/json.js';
import { after, begunRun, countsOf, NOON, positionAt, type OpenFlows } from './flows.js';

/** Rows that were rejected. */
export function testRejections(flows: OpenFlows): void {
  const rejection = (rowNumber: number, row: Json = { rowNumber }): Rejection => ({
    rowNumber,
    phase: 'reads',
    reason: `row ${String(rowNumber)} is odd`,
    row,
  });

  describe('rejected rows', () => {
    it('are listed in the order of their numbers, page by page', async () => {
      const ref = await begunRun(flows.catalog);
      const all = [1, 2, 3, 10, 11].map((rowNumber) => rejection(rowNumber));
      await flows.catalog.keepRejections(ref, [...all].reverse(), after(1));
      const listed = all.map((it) => ({ ...it, createdAt: after(1) }));
      const page = (limit: number, last?: number) =>
        flows.catalog.rejections(ref, { limit, ...(last !== undefined && { after: last }) });
      expect(await page(10)).toEqual(listed);
      expect(await page(2)).toEqual(listed.slice(0, 2));
      expect(await page(2, 2)).toEqual(listed.slice(2, 4));
      expect(await page(2, 10)).toEqual(listed.slice(4));
      expect(await page(2, 11)).toEqual([]);
    });

    it('stay as they are when they are kept again', async () => {
      const ref = await begunRun(flows.catalog);
      await flows.catalog.keepRejections(ref, [rejection(1)], after(1));
      await flows.catalog.keepRejections(ref, [rejection(1, 'other'), rejection(2)], after(2));
      expect(await flows.catalog.rejections(ref, { limit: 10 })).toEqual([
        { ...rejection(1), createdAt: after(1) },
        { ...rejection(2), createdAt: after(2) },
      ]);
    });

    it('are in the count of their run at once, and of it alone', async () => {
      const ref = await begunRun(flows.catalog);
      await flows.catalog.keepRejections(ref, [rejection(1), rejection(2)], after(1));
      await flows.catalog.keepRejections(ref, [rejection(2), rejection(3)], after(2));
      const rejected = async () => {
        const [run] = await flows.catalog.runs('orders', { limit: 1 });
        return run?.counts.rejected;
      };
      expect(await rejected()).toBe(3);
      await flows.catalog.end(ref, { status: 'failed', now: after(3) });
      expect(await rejected()).toBe(3);
      await begunRun(flows.catalog);
      expect(await rejected()).toBe(0);
    });

    it('are not in the position: another attempt rejects them once more, and counts them once', async () => {
      const ref = await begunRun(flows.catalog);
      const first = { ...positionAt(1, 'a'), counts: { ...countsOf(1), rejected: 1 } };
      const kept = { from: 0, to: first, rejections: [rejection(1)], now: NOON };
      expect(await flows.catalog.advance(ref, kept)).toBe(true);
      // Its batch is not written after that.
      await flows.catalog.keepRejections(ref, [rejection(3), rejection(4)], after(1));
      expect((await flows.catalog.position(ref))?.counts.rejected).toBe(1);
      expect((await flows.catalog.run('orders', 1))?.counts.rejected).toBe(3);
      await flows.catalog.keepRejections(ref, [rejection(3), rejection(4)], after(2));
      const second = { ...positionAt(2, 'b'), counts: { ...countsOf(2), rejected: 3 } };
      const moved = { from: 1, to: second, rejections: [], now: after(2) };
      expect(await flows.catalog.advance(ref, moved)).toBe(true);
      expect((await flows.catalog.position(ref))?.counts.rejected).toBe(3);
      expect((await flows.catalog.run('orders', 1))?.counts.rejected).toBe(3);
    });

    it('can be many at once', async () => {
      const ref = await begunRun(flows.catalog);
      const all = Array.from({ length: 12_345 }, (_, index) => rejection(index + 1));
      await flows.catalog.keepRejections(ref, all, NOON);
      const [last] = await flows.catalog.rejections(ref, { limit: 2, after: 12_344 });
      expect(last).toMatchObject(rejection(12_345));
    });

    it.each([
      null,
      'text',
      { nul: '\u0000', half: '\ud800', z: 1, a: [1.5, null, { 'é"': '😀' }] },
    ])('are kept as they are: %j', async (row) => {
      const ref = await begunRun(flows.catalog);
      const refused = { ...rejection(1, row), phase: 'writes', reason: 'a \0 "b"' } as const;
      await flows.catalog.keepRejections(ref, [refused], NOON);
      const [kept] = await flows.catalog.rejections(ref, { limit: 1 });
      expect(kept).toEqual({ ...refused, reason: 'a \uFFFD "b"', createdAt: NOON });
      expect(JSON.stringify(kept?.row)).toBe(JSON.stringify(row));
    });

    it('belong to one run', async () => {
      const first = await begunRun(flows.catalog);
      await flows.catalog.keepRejections(first, [rejection(1)], NOON);
      await flows.catalog.end(first, { status: 'success', now: NOON });
      const second = await begunRun(flows.catalog);
      expect(await flows.catalog.rejections(second, { limit: 10 })).toEqual([]);
      expect(await flows.catalog.rejections(first, { limit: 10 })).toHaveLength(1);
    });

    it('are not kept for a run that is over, or not there', async () => {
      const ref = await begunRun(flows.catalog);
      await flows.catalog.end(ref, { status: 'success', now: NOON });
      await flows.catalog.keepRejections(ref, [rejection(1)], NOON);
      await flows.catalog.keepRejections({ ...ref, runSeq: 9 }, [rejection(1)], NOON);
      await flows.catalog.keepRejections({ ...ref, flow: 'nope' }, [rejection(1)], NOON);
      expect(await flows.catalog.rejections(ref, { limit: 10 })).toEqual([]);
    });
  });
}
