import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '../src/definition/json.js';

/** A request that may be sent more than once: what makes it the same request. */
export interface IdempotentRequest {
  readonly definition: string;
  readonly principal: string | undefined;
  readonly key: string;
}

/** Longest idempotency key, in characters. */
export const MAX_IDEMPOTENCY_KEY = 255;

/** The execution id of a request with a key: the same for each repetition, and different for each principal. */
export function idempotentExecutionId({ definition, principal, key }: IdempotentRequest): string {
  return digest([definition, principal ?? null, key]);
}

/** What must be equal in a repetition: the input and where the outcome is sent. */
export function requestFingerprint(input: JsonObject, webhookUrl: string | undefined): string {
  return digest([input, webhookUrl ?? null]);
}

/** Hex digits of a hash: 128 bits. */
const DIGITS = 32;

/** A hash of any JSON value, whatever the order of its keys. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, DIGITS);
}
