import { FAILURE_TYPES, type Failure } from './failure.js';

/** Largest single payload that Temporal takes by default, less room for the envelope around it. */
export const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024 - 16 * 1024;

/** The failure of a payload that is too large, or undefined when it is not. */
export function payloadFailure(what: string, bytes: number): Failure | undefined {
  if (bytes <= MAX_PAYLOAD_BYTES) return undefined;
  return {
    type: FAILURE_TYPES.payloadLimit,
    message:
      `${what} has ${String(bytes)} bytes of JSON; the most that one payload can carry is ${String(MAX_PAYLOAD_BYTES)}. ` +
      'Keep large data in a store and pass references.',
    retryable: false,
  };
}
