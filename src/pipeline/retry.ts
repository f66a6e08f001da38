import { durationMsOrNone } from '../definition/duration.js';
import { isPlainObject } from '../definition/json.js';
import type { RetryOptions } from './operation.js';
import { PIPELINE_DEFAULTS, type RetryPlan } from './plan.js';
import type { ProblemList } from './problem-list.js';

/** Most attempts that a definition may ask for. */
const MAX_ATTEMPTS = 100;

const RETRY_KEYS: readonly string[] = Object.keys({
  maximumAttempts: true,
  initialInterval: true,
  backoffCoefficient: true,
  maximumInterval: true,
} satisfies Record<keyof RetryOptions, true>);

/**
 * Tells everything that is wrong with a `retry`, which may be anything in JavaScript.
 *
 * @param at - what messages start with, such as `"convert": `
 */
export function checkRetry(retry: unknown, at: string, problems: ProblemList): void {
  if (retry === undefined) return;
  if (!isPlainObject(retry)) {
    const form = 'Write retry: { maximumAttempts: 5 }.';
    problems.add(['retry'], `${at}retry is ${JSON.stringify(retry)}. ${form}`);
    return;
  }
  problems.under(['retry']).unknownKeys(`${at}retry: `, retry, RETRY_KEYS);
  const { maximumAttempts, backoffCoefficient } = retry;
  if (maximumAttempts !== undefined && !isAttempts(maximumAttempts)) {
    problems.add(
      ['retry', 'maximumAttempts'],
      `${at}retry.maximumAttempts must be a whole number from 1 to ${String(MAX_ATTEMPTS)}.`,
    );
  }
  if (backoffCoefficient !== undefined && !isCoefficient(backoffCoefficient)) {
    problems.add(
      ['retry', 'backoffCoefficient'],
      `${at}retry.backoffCoefficient must be at least 1.`,
    );
  }
  for (const name of ['initialInterval', 'maximumInterval'])
    problems.duration(['retry', name], `${at}retry.${name}`, retry[name]);
}

/** The retries of an operation in its place. What is wrong is as if it were not set: {@link checkRetry} tells of it. */
export function planRetry(retry: RetryOptions): RetryPlan {
  const { maximumAttempts, backoffCoefficient, initialInterval, maximumInterval } = retry;
  const { retry: defaults } = PIPELINE_DEFAULTS;
  const maximumIntervalMs = durationMsOrNone(maximumInterval);
  return {
    maximumAttempts: isAttempts(maximumAttempts) ? maximumAttempts : defaults.maximumAttempts,
    backoffCoefficient: isCoefficient(backoffCoefficient)
      ? backoffCoefficient
      : defaults.backoffCoefficient,
    initialIntervalMs: durationMsOrNone(initialInterval) ?? defaults.initialIntervalMs,
    ...(maximumIntervalMs !== undefined && { maximumIntervalMs }),
  };
}

function isAttempts(value: unknown): value is number {
  return (
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_ATTEMPTS
  );
}

function isCoefficient(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 1;
}
