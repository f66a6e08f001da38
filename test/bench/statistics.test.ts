import { describe, expect, it } from '@jest/globals';
import {
  differenceOfMedians,
  quantile,
  randomNumbers,
  ratioOfMedians,
  shuffled,
  type Pair,
} from '../../bench/statistics.js';

/** Rounds of two cells whose values vary by 20%, the second larger by a factor. */
function rounds(count: number, factor: number): readonly Pair[] {
  const random = randomNumbers(7);
  return Array.from({ length: count }, (): Pair => [
    10 + 2 * random(),
    factor * (10 + 2 * random()),
  ]);
}

describe('the statistics of the benchmark', () => {
  it('interpolate quantiles between neighbours', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([5], 0.95)).toBe(5);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('find a real difference, with an interval around it that leaves 1 out', () => {
    const { value, low, high } = ratioOfMedians(rounds(200, 1.5));
    expect(value).toBeCloseTo(1.5, 1);
    expect(low).toBeGreaterThan(1.4);
    expect(high).toBeLessThan(1.6);
  });

  it('find no difference between equal cells', () => {
    const { low, high } = ratioOfMedians(rounds(200, 1));
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(1);
  });

  it('give wider intervals for fewer rounds', () => {
    const few = differenceOfMedians(rounds(10, 1));
    const many = differenceOfMedians(rounds(1_000, 1));
    expect(few.high - few.low).toBeGreaterThan(many.high - many.low);
  });

  it('shuffle without losing anything', () => {
    const items = Array.from({ length: 20 }, (_, index) => index);
    const order = shuffled(items, randomNumbers(1));
    expect(order).not.toEqual(items);
    expect([...order].sort((a, b) => a - b)).toEqual(items);
  });
});
