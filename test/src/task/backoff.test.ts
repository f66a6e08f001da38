import { describe, expect, it } from '@jest/globals';
import { backoffMs, retryIntervals } from '../../../src/task/backoff.js';
import type { Backoff, StepRetryPlan } from '../../../src/task/plan.js';

function retry(backoff: Backoff, over: Partial<StepRetryPlan> = {}): StepRetryPlan {
  return { maximumAttempts: 10, backoff, baseMs: 100, maximumMs: 60_000, ...over };
}

function waits(plan: StepRetryPlan): readonly number[] {
  return [1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(plan, attempt));
}

describe('the wait before another attempt', () => {
  it('grows as the plan says', () => {
    expect(waits(retry('linear'))).toEqual([100, 200, 300, 400, 500, 600]);
    expect(waits(retry('exponential'))).toEqual([100, 200, 400, 800, 1_600, 3_200]);
    expect(waits(retry('fibonacci'))).toEqual([100, 100, 200, 300, 500, 800]);
  });

  it('is the shortest that there is where there is to be none', () => {
    expect(waits(retry('none'))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(waits(retry('linear', { baseMs: 0 }))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(backoffMs(retry('exponential', { maximumMs: 0 }), 3)).toBe(1);
  });

  it('grows no longer than the longest', () => {
    expect(waits(retry('exponential', { maximumMs: 500 }))).toEqual([100, 200, 400, 500, 500, 500]);
    expect(backoffMs(retry('fibonacci', { maximumMs: 500 }), 7)).toBe(500);
    expect(backoffMs(retry('linear', { maximumMs: 50 }), 1)).toBe(50);
  });

  it('is a number of milliseconds after as many attempts as there may be', () => {
    for (const backoff of ['none', 'linear', 'exponential', 'fibonacci'] as const) {
      const waited = backoffMs(retry(backoff, { maximumMs: 30_000 }), 100);
      expect(Number.isSafeInteger(waited)).toBe(true);
      expect(waited).toBeLessThanOrEqual(30_000);
    }
  });
});

describe("Temporal's own retries", () => {
  it('double the wait where it is to grow ever faster, and else keep it', () => {
    expect(retryIntervals(retry('exponential'))).toEqual({
      initialInterval: 100,
      backoffCoefficient: 2,
      maximumInterval: 60_000,
    });
    expect(retryIntervals(retry('fibonacci')).backoffCoefficient).toBe(2);
    expect(retryIntervals(retry('linear')).backoffCoefficient).toBe(1);
  });

  it('wait as shortly as they can where there is to be no wait', () => {
    expect(retryIntervals(retry('none'))).toMatchObject({
      initialInterval: 1,
      backoffCoefficient: 1,
    });
    expect(retryIntervals(retry('linear', { baseMs: 0 })).initialInterval).toBe(1);
  });

  it('have a longest wait that is not below the first, which Temporal would refuse', () => {
    expect(retryIntervals(retry('exponential', { maximumMs: 10 }))).toEqual({
      initialInterval: 100,
      backoffCoefficient: 2,
      maximumInterval: 100,
    });
  });
});
