import { APICallError, LoadAPIKeyError } from '@ai-sdk/provider';
import { PermanentError } from '../../src/pipeline/permanent.js';

/** What is known of a call to a language model that gave no answer. */
export interface ModelCallEvidence {
  readonly provider: string;
  /** The model's name in config.yml. */
  readonly model: string;
  /** The HTTP status, where there was a response. */
  readonly status?: number;
  /** How long the provider asks us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** A call that may succeed later: the provider was busy, out of order, out of reach or too slow. */
export class ModelCallFailed extends Error {
  override readonly name = 'ModelCallFailed';
  readonly retryable = true;
  readonly provider: string;
  readonly model: string;
  readonly status: number | undefined;
  /** How long the provider asks us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, evidence: ModelCallEvidence) {
    super(message);
    this.provider = evidence.provider;
    this.model = evidence.model;
    this.status = evidence.status;
    this.retryAfterMs = evidence.retryAfterMs;
  }
}

/** A call that will fail again as it is: a wrong key, an unknown model, a request that the provider does not take. */
export class ModelCallRefused extends PermanentError {
  override readonly name = 'ModelCallRefused';
  readonly retryable = false;
  readonly provider: string;
  readonly model: string;
  readonly status: number | undefined;
  constructor(message: string, evidence: ModelCallEvidence) {
    super(message, { ...evidence }, 'ModelCallRefused');
    this.provider = evidence.provider;
    this.model = evidence.model;
    this.status = evidence.status;
  }
}

/** What {@link modelCallError} has to know of the call. */
export interface FailedCall {
  readonly provider: string;
  /** The model's name in config.yml. */
  readonly name: string;
  /** Texts that must not appear in any message. */
  readonly secrets: readonly string[];
  /** Milliseconds since the epoch, for `Retry-After` with a date. */
  readonly now: number;
}

/** Longest wait that a provider can ask for. */
const MAX_RETRY_AFTER_MS = 60 * 60_000;

/** Longest text of a provider that a message repeats, in characters. */
const MAX_TOLD = 300;

/** Beside these, 5xx and calls without a response may succeed later. */
const RETRYABLE_STATUSES: readonly number[] = [200, 408, 409, 425, 429];

/** What OpenAI answers with 429 although waiting does not help. */
const OUT_OF_CREDIT = 'insufficient_quota';

/**
 * An error of the AI SDK's providers as one of ours. The original is not kept as its cause: it holds the whole request, and its
 * messages may repeat keys.
 */
export function modelCallError(
  error: unknown,
  call: FailedCall,
): ModelCallFailed | ModelCallRefused {
  const evidence = { provider: call.provider, model: call.name };
  const told = redacted(error instanceof Error ? error.message : String(error), call.secrets);
  if (LoadAPIKeyError.isInstance(error)) {
    return new ModelCallRefused(
      `Model "${call.name}" has no key. Set options.api_key in config.yml. ${told}`,
      evidence,
    );
  }
  if (!APICallError.isInstance(error)) {
    return new ModelCallFailed(
      `The call to model "${call.name}" (${call.provider}) failed: ${told}`,
      evidence,
    );
  }
  const { statusCode: status } = error;
  if (status === undefined) {
    return new ModelCallFailed(
      `Model "${call.name}" (${call.provider}) cannot be reached: ${told}`,
      evidence,
    );
  }
  if (status === 401 || status === 403) {
    const message = `${call.provider} refuses the key of model "${call.name}" (HTTP ${String(status)}). Check options.api_key in config.yml and what the key may do.`;
    return new ModelCallRefused(message, { ...evidence, status });
  }
  const message = `Model "${call.name}" (${call.provider}) answered HTTP ${String(status)}: ${told}`;
  if (!isRetryable(status, error.responseBody))
    return new ModelCallRefused(message, { ...evidence, status });
  const retryAfterMs = retryAfter(error.responseHeaders ?? {}, call.now);
  return new ModelCallFailed(message, {
    ...evidence,
    status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function isRetryable(status: number, body: string | undefined): boolean {
  if (status === 429 && body?.includes(OUT_OF_CREDIT) === true) return false;
  return status >= 500 || RETRYABLE_STATUSES.includes(status);
}

/** Milliseconds, from `Retry-After` (RFC 9110: seconds or a date) or OpenAI's `retry-after-ms`. */
function retryAfter(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const precise = Number.parseFloat(headers['retry-after-ms'] ?? '');
  const written = headers['retry-after'] ?? '';
  const seconds = /^\d+(\.\d+)?$/.test(written)
    ? Number(written) * 1_000
    : Date.parse(written) - now;
  const wait = Number.isFinite(precise) ? precise : seconds;
  return Number.isFinite(wait) && wait > 0
    ? Math.min(Math.ceil(wait), MAX_RETRY_AFTER_MS)
    : undefined;
}

function redacted(text: string, secrets: readonly string[]): string {
  const clean = secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text);
  return clean.length <= MAX_TOLD ? clean : `${clean.slice(0, MAX_TOLD)}…`;
}
