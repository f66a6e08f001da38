import { isPlainObject } from '../definition/json.js';
import type { ProblemList } from '../pipeline/problem-list.js';
import { checkOneOf } from './value-check.js';
import type { Lifecycle } from './task.js';

const LIFECYCLE_KEYS: readonly string[] = Object.keys({
  maxDuration: true,
  maxWaitForDependencies: true,
  maxWaitForRetry: true,
  onLimit: true,
  onError: true,
} satisfies Record<keyof Lifecycle, true>);

/** Tells of limits that are none. */
export function checkLifecycle(lifecycle: unknown, what: string, problems: ProblemList): void {
  if (lifecycle === undefined) return;
  if (!isPlainObject(lifecycle)) {
    problems.add([], `${what}lifecycle must be an object, such as { max_duration: 2h }.`);
    return;
  }
  problems.unknownKeys(`${what}lifecycle: `, lifecycle, LIFECYCLE_KEYS);
  for (const [key, name] of [
    ['maxDuration', 'max_duration'],
    ['maxWaitForDependencies', 'max_wait_for_dependencies'],
    ['maxWaitForRetry', 'max_wait_for_retry'],
  ] as const)
    problems.timeout([key], `${what}lifecycle.${name}`, lifecycle[key]);
  checkOneOf(lifecycle, 'onLimit', ['fail', 'dead_letter'], `${what}lifecycle.`, problems);
  checkOneOf(lifecycle, 'onError', ['end', 'wait'], `${what}lifecycle.`, problems);
}
