import type { StepRetryPlan } from './plan.js';

/** Temporal takes zero for no wait of ours, and waits by its own policy. */
const SHORTEST_MS = 1;

/**
 * The wait before the attempt after this one, in milliseconds.
 *
 * @param attempt - the one that has failed, from 1
 */
export function backoffMs({ backoff, baseMs, maximumMs }: StepRetryPlan, attempt: number): number {
  return Math.max(SHORTEST_MS, Math.min(maximumMs, baseMs * factor(backoff, attempt)));
}

function factor(backoff: StepRetryPlan['backoff'], attempt: number): number {
  switch (backoff) {
    case 'none':
      return 0;
    case 'linear':
      return attempt;
    case 'exponential':
      return 2 ** (attempt - 1);
    case 'fibonacci':
      return fibonacci(attempt);
  }
}

/** 1, 1, 2, 3, 5, … */
function fibonacci(n: number): number {
  let [last, next] = [1, 1];
  for (let at = 1; at < n; at += 1) [last, next] = [next, last + next];
  return last;
}

/** The nearest that Temporal's own retries come to it. */
export function retryIntervals({ backoff, baseMs, maximumMs }: StepRetryPlan): {
  readonly initialInterval: number;
  readonly backoffCoefficient: number;
  readonly maximumInterval: number;
} {
  const initialInterval = backoff === 'none' ? SHORTEST_MS : Math.max(SHORTEST_MS, baseMs);
  return {
    initialInterval,
    backoffCoefficient: backoff === 'exponential' || backoff === 'fibonacci' ? 2 : 1,
    maximumInterval: Math.max(initialInterval, maximumMs),
  };
}
