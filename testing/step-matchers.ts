import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '../src/definition/json.js';
import { isStepError, isStepResult, type StepResult } from '../src/task/step-result.js';

/** What {@link stepMatchers} adds to `expect`. */
export interface StepMatchers<R = void> {
  /** The step has done its work. */
  toBeSuccess(): R;
  /** The step has failed, with this type where one is given. */
  toBeError(type?: string): R;
  /** The step has done its work, and its data has all that is named here, as with `toMatchObject`. */
  toHaveResultData(subset: unknown): R;
}

/** What a matcher says, as jest and vitest take it. */
interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
}

/** Matchers for results of steps, for `expect.extend` of jest and vitest. */
export const stepMatchers = {
  toBeSuccess(received: unknown): Verdict {
    const result = resultOf(received);
    return {
      pass: !isStepError(result),
      message: () => `expected a success or, with not, an error; it is ${describe(result)}`,
    };
  },
  toBeError(received: unknown, type?: string): Verdict {
    const result = resultOf(received);
    const wanted = type === undefined ? 'an error' : `an error of type ${type}`;
    return {
      pass: isStepError(result) && (type === undefined || result.type === type),
      message: () => `expected ${wanted} (or, with not, none); it is ${describe(result)}`,
    };
  },
  toHaveResultData(received: unknown, subset: unknown): Verdict {
    const result = resultOf(received);
    return {
      pass: !isStepError(result) && holds(result.data, subset),
      message: () =>
        `expected data with ${JSON.stringify(subset)} (or, with not, without); it is ${describe(result)}`,
    };
  },
};

function resultOf(received: unknown): StepResult {
  if (isStepResult(received)) return received;
  throw new TypeError(
    `it is no result of a step: ${JSON.stringify(received)}. Give what runStep resolves to, or what a handler returns by success() or error().`,
  );
}

function describe(result: StepResult): string {
  return isStepError(result)
    ? `an error of type ${result.type}: ${result.message}`
    : `a success with ${JSON.stringify(result.data)}`;
}

/** Whether a value has all that another one has, in which lists have as many members, and `expect.any(String)` may stand. */
function holds(value: unknown, subset: unknown): boolean {
  if (isAsymmetric(subset)) return subset.asymmetricMatch(value);
  if (Array.isArray(subset))
    return (
      Array.isArray(value) &&
      value.length === subset.length &&
      subset.every((member, at) => holds(value[at], member))
    );
  if (!isPlainObject(subset) || !isPlainObject(value)) return isDeepStrictEqual(value, subset);
  return Object.entries(subset).every(
    ([name, member]) => Object.hasOwn(value, name) && holds(value[name], member),
  );
}

/** What `expect.any(String)` and the like return, in jest and vitest. */
interface AsymmetricMatcher {
  asymmetricMatch(value: unknown): boolean;
}

function isAsymmetric(value: unknown): value is AsymmetricMatcher {
  return (
    typeof value === 'object' &&
    value !== null &&
    'asymmetricMatch' in value &&
    typeof value.asymmetricMatch === 'function'
  );
}
