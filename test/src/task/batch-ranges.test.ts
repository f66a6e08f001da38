import { describe, expect, it } from '@jest/globals';
import { rangesOf, wrongRanges } from '../../../src/task/batch-ranges.js';
import { TASK_LIMITS } from '../../../src/task/limits.js';

describe('the ranges of a batch', () => {
  it('are those that the handler has made, and nothing that it has added to them', () => {
    const made = [
      { start: 7, end: 9 },
      { start: 0, end: 3, note: 'mine' },
    ];
    expect(rangesOf(made, 1)).toEqual([
      { start: 7, end: 9 },
      { start: 0, end: 3 },
    ]);
  });

  it('are of the size that the template says, where the handler tells how many items there are', () => {
    expect(rangesOf({ total: 25 }, 10)).toEqual([
      { start: 0, end: 10 },
      { start: 10, end: 20 },
      { start: 20, end: 25 },
    ]);
    expect(rangesOf({ total: 20 }, 10)).toEqual([
      { start: 0, end: 10 },
      { start: 10, end: 20 },
    ]);
    expect(rangesOf({ total: 3 }, 1_000)).toEqual([{ start: 0, end: 3 }]);
  });

  it('are none where there are no items', () => {
    expect(rangesOf({ total: 0 }, 10)).toEqual([]);
    expect(rangesOf([], 10)).toEqual([]);
    expect(wrongRanges([])).toBeUndefined();
  });

  it('are right as they are made of a number of items', () => {
    for (const total of [1, 9, 10, 11, 1_000])
      expect(wrongRanges(rangesOf({ total }, 10))).toBeUndefined();
  });

  it('may be as many as there may be, and not one more', () => {
    const most = rangesOf({ total: TASK_LIMITS.ranges }, 1);
    expect(most).toHaveLength(TASK_LIMITS.ranges);
    expect(wrongRanges(most)).toBeUndefined();
    expect(wrongRanges(rangesOf({ total: TASK_LIMITS.ranges + 1 }, 1))).toBe(
      'There are more than 1000 ranges (ranges). Make batch_size larger.',
    );
  });

  it('of a number of items that is far too large are not made before they are refused', () => {
    const ranges = rangesOf({ total: Number.MAX_SAFE_INTEGER }, 1);
    expect(ranges).toHaveLength(TASK_LIMITS.ranges + 1);
    expect(wrongRanges(ranges)).toMatch(/more than 1000 ranges/);
  });

  it('of what is no number of items are refused', () => {
    for (const total of [-1, 2.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(wrongRanges(rangesOf({ total }, 10))).toMatch(/ is no range: /);
    expect(wrongRanges(rangesOf({ total: -1 }, 10))).toBe(
      '{"start":0,"end":-1} is no range: start is counted from 0, and end is the first item that is not part of it.',
    );
  });

  it('are refused where one has no items, or is none', () => {
    for (const wrong of [
      { start: 3, end: 3 },
      { start: 4, end: 3 },
      { start: -1, end: 3 },
      { start: 0.5, end: 3 },
      { start: 0, end: 2 ** 53 },
      { start: Number.NaN, end: 3 },
    ])
      expect(wrongRanges([{ start: 10, end: 11 }, wrong])).toMatch(/ is no range: /);
  });

  it('may leave items out, touch, and be in any order', () => {
    expect(
      wrongRanges([
        { start: 20, end: 30 },
        { start: 0, end: 5 },
        { start: 10, end: 20 },
      ]),
    ).toBeUndefined();
  });

  it('are refused where they have items in common, in whatever order they are', () => {
    expect(
      wrongRanges([
        { start: 20, end: 30 },
        { start: 0, end: 11 },
        { start: 10, end: 20 },
      ]),
    ).toBe('The ranges {"start":0,"end":11} and {"start":10,"end":20} have items in common.');
    expect(
      wrongRanges([
        { start: 0, end: 5 },
        { start: 0, end: 5 },
      ]),
    ).toMatch(/have items in common/);
    expect(
      wrongRanges([
        { start: 50, end: 60 },
        { start: 0, end: 100 },
      ]),
    ).toMatch(/have items in common/);
  });

  it('stay in the order in which they were made when they are looked at', () => {
    const ranges = [
      { start: 5, end: 6 },
      { start: 0, end: 1 },
    ];
    wrongRanges(ranges);
    expect(ranges.map(({ start }) => start)).toEqual([5, 0]);
  });
});
