import type { Json } from '../definition/json.js';

/** Marks permanent errors across copies of this package. */
const PERMANENT = Symbol.for('millrace.permanent');

/** An error that another attempt would only repeat. Made by {@link permanent}. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
  readonly [PERMANENT] = true;
  constructor(
    message: string,
    /** What clients get beside the message. */
    readonly details?: Json,
    /** The type that `ignoreErrors`, events and results show; `PermanentError` unless given. */
    readonly type: string = 'PermanentError',
  ) {
    super(message);
  }
}

/** An error to throw from a body when retrying would not help: `throw permanent('no such customer', { id })`. */
export function permanent(message: string, details?: Json, type?: string): PermanentError {
  return new PermanentError(message, details, type);
}

/** True for errors made by {@link permanent}, whichever copy of the package made them. */
export function isPermanent(error: unknown): error is PermanentError {
  return typeof error === 'object' && error !== null && PERMANENT in error;
}

/** Marks errors that may pass, across copies of this package. */
const RETRYABLE = Symbol.for('millrace.retryable');

/** An error that another attempt may not meet again. Made by {@link retryable}. */
export class RetryableError extends Error {
  override readonly name: string = 'RetryableError';
  readonly [RETRYABLE] = true;
  constructor(
    message: string,
    /** How long to wait before the next attempt, in milliseconds; as the retry policy says unless given. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

/**
 * An error to throw from a data flow's transform when it is not the row that is wrong: `throw retryable('the service is
 * away')`. The batch is then tried again, instead of the row being rejected.
 */
export function retryable(message: string, retryAfterMs?: number): RetryableError {
  return new RetryableError(message, retryAfterMs);
}

/** True for errors made by {@link retryable}, whichever copy of the package made them. */
export function isRetryable(error: unknown): error is RetryableError {
  return typeof error === 'object' && error !== null && RETRYABLE in error;
}
