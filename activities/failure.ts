import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { ContractViolation } from '../src/contract/violation.js';
import { jsonBytes, type Json } from '../src/definition/json.js';
import { FAILURE_TYPES, failureJson, type Failure } from '../src/pipeline/failure.js';
import { isPermanent } from '../src/pipeline/permanent.js';

/** Longest message that is kept of an error, in characters: messages are stored with the run. */
const MAX_MESSAGE = 4_000;

/** Most violations that a failure lists. */
const MAX_VIOLATIONS = 20;

/** Most bytes of a failure's details: Temporal refuses larger failures, and then type and message are lost as well. */
const MAX_DETAILS_BYTES = 64 * 1024;

/** What an error that a body threw says, as data. The only place where errors become failures. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ContractViolation) {
    const details: Json = error.violations
      .slice(0, MAX_VIOLATIONS)
      .map(({ path, message }) => ({ path, message: clip(message) }));
    return {
      type: FAILURE_TYPES.contractViolation,
      message: clip(error.message),
      retryable: false,
      details,
    };
  }
  if (error instanceof ApplicationFailure) return ofApplicationFailure(error);
  if (isPermanent(error)) {
    return { type: error.type, retryable: false, ...bounded(clip(error.message), error.details) };
  }
  if (error instanceof Error || isErrorLike(error)) {
    return { type: error.name, message: clip(error.message), retryable: true };
  }
  return { type: 'Error', message: clip(String(error)), retryable: true };
}

/** A failure as the error that Temporal understands. `retryAfterMs` replaces the wait of the retry policy. */
export function applicationFailure(
  failure: Failure,
  cause?: unknown,
  retryAfterMs?: number,
): ApplicationFailure {
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.type,
    nonRetryable: !failure.retryable,
    details: [failureJson(failure)],
    ...(cause instanceof Error && { cause: boundedCause(cause) }),
    ...(retryAfterMs !== undefined && { nextRetryDelay: retryAfterMs }),
  });
}

/** Most errors behind an error that are looked at. */
const MAX_CAUSES = 10;

/** An error that Temporal can keep: where it and those behind it say too much, only what fits of the first. */
function boundedCause(error: Error): Error {
  let characters = 0;
  let at: unknown = error;
  for (let depth = 0; at instanceof Error; depth += 1) {
    characters += at.message.length + (at.stack?.length ?? 0);
    if (depth === MAX_CAUSES || characters > MAX_DETAILS_BYTES) return clippedError(error);
    at = at.cause;
  }
  return error;
}

function clippedError({ name, message, stack = '' }: Error): Error {
  const clipped = new Error(clip(message));
  clipped.name = name;
  clipped.stack = clip(stack);
  return clipped;
}

/** True when an error only says that the attempt was cancelled. */
export function isCancelled(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof CancelledFailure) return true;
  return (
    signal.aborted &&
    (error === signal.reason || (isErrorLike(error) && error.name === 'AbortError'))
  );
}

/** How long a service asked us to wait, where the error says so (`retryAfterMs`). */
export function retryAfterMs(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('retryAfterMs' in error)) return undefined;
  const { retryAfterMs: wait } = error;
  return typeof wait === 'number' && Number.isFinite(wait) && wait > 0 ? wait : undefined;
}

function ofApplicationFailure(error: ApplicationFailure): Failure {
  return {
    type: error.type ?? 'ApplicationFailure',
    message: clip(error.message),
    retryable: error.nonRetryable !== true,
  };
}

/** An error of another realm, which is no instance of this one's Error. */
function isErrorLike(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'message' in error && 'name' in error;
}

function bounded(message: string, details: Json | undefined): Pick<Failure, 'message' | 'details'> {
  if (details === undefined) return { message };
  const bytes = jsonBytes(details);
  if (bytes <= MAX_DETAILS_BYTES) return { message, details };
  return {
    message: `${message} (its details were dropped: ${String(bytes)} bytes, and the most is ${String(MAX_DETAILS_BYTES)})`,
  };
}

function clip(message: string): string {
  return message.length <= MAX_MESSAGE
    ? message
    : `${message.slice(0, MAX_MESSAGE)}… (${String(message.length)} characters)`;
}
