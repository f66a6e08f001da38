import type { Json, JsonObject } from '../definition/json.js';
import type { BatchRange } from './step-outcome.js';

/** Marks what the functions below have made, across copies of this package. */
const RESULT = Symbol.for('millrace.step_result');

/** The types of errors that Millrace itself tells of steps. A handler may give an error any other. */
export const STEP_ERROR_TYPES = {
  /** Another attempt would not help. */
  permanent: 'PermanentError',
  /** Another attempt may help. */
  retryable: 'RetryableError',
  /** What the step was given is wrong. */
  validation: 'ValidationError',
  /** Nobody has thought of it. */
  unexpected: 'UnexpectedError',
} as const;

/** What a handler returns where a step has done its work. */
export interface StepSuccess {
  readonly [RESULT]: 'success';
  readonly data: Json;
  /** The steps that a decision has chosen. */
  readonly branches?: readonly string[];
  /** How the work of a batchable step is divided: into these, or as many as the template's size makes of all items. */
  readonly ranges?: readonly BatchRange[] | { readonly total: number };
}

/** What a handler returns where a step has failed. */
export interface StepError {
  readonly [RESULT]: 'error';
  readonly type: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Json;
  /** How long to wait before the next attempt, in milliseconds; as the template says unless given. */
  readonly retryAfterMs?: number;
}

/** What a handler may return, beside plain data, which is a success. */
export type StepResult = StepSuccess | StepError;

/** The step has done its work; `data` is what those get that depend on it. */
export function success(data: Json = {}): StepSuccess {
  return { [RESULT]: 'success', data };
}

/** How a step has failed. */
export interface StepErrorOptions {
  /** `UnexpectedError` unless given: one of {@link STEP_ERROR_TYPES}, or your own. */
  readonly type?: string;
  readonly message: string;
  /** Whether another attempt may help; not for `PermanentError` and `ValidationError`, unless given. */
  readonly retryable?: boolean;
  readonly details?: Json;
  /** How long to wait before the next attempt, in milliseconds; as the template says unless given. */
  readonly retryAfterMs?: number;
}

/** The step has failed: `error({ type: 'CardDeclined', message: 'insufficient funds', retryable: false })`. */
export function error({
  type = STEP_ERROR_TYPES.unexpected,
  retryable = !isPermanentType(type),
  ...rest
}: StepErrorOptions): StepError {
  return { [RESULT]: 'error', type, retryable, ...rest };
}

/** The steps that come after a decision; all others that depend on it are left out. They get `data`. */
export function branches(names: readonly string[], data: JsonObject = {}): StepSuccess {
  return { [RESULT]: 'success', data: { ...data, branches: names }, branches: names };
}

/** None of the steps that depend on a decision come after it. */
export function noBranches(data: JsonObject = {}): StepSuccess {
  return branches([], data);
}

/**
 * The ranges that the workers of a batch take, one each. `{ total: 10_000 }` makes them of the template's `batchSize`.
 *
 * @param data - what those get that depend on the step
 */
export function batches(
  ranges: readonly BatchRange[] | { readonly total: number },
  data: JsonObject = {},
): StepSuccess {
  return { [RESULT]: 'success', data, ranges };
}

/** There is nothing for the workers of a batch to do. */
export function noBatches(data: JsonObject = {}): StepSuccess {
  return batches([], data);
}

/** True for what the functions above have made. */
export function isStepResult(value: unknown): value is StepResult {
  return typeof value === 'object' && value !== null && RESULT in value;
}

/** True where a step has failed. */
export function isStepError(result: StepResult): result is StepError {
  return result[RESULT] === 'error';
}

function isPermanentType(type: string): boolean {
  return type === STEP_ERROR_TYPES.permanent || type === STEP_ERROR_TYPES.validation;
}
