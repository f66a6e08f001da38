import { sleep } from '@temporalio/workflow';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';

/** Largest single payload that Temporal takes, less room for the envelope around it. */
const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024 - 16 * 1024;

/** Most bytes of commands in one workflow task. A message of more than 4 MiB is refused and retried for ever. */
const MAX_TASK_BYTES = 2 * 1024 * 1024;

/** Keeps what one workflow task sends to the server within the size that the server takes. */
export class CommandBudget {
  #spent = 0;

  /** Waits, where needed, until a command of that size fits into the current workflow task. */
  async spend(bytes: number): Promise<void> {
    while (this.#spent > 0 && this.#spent + bytes > MAX_TASK_BYTES) {
      this.#spent = 0;
      // A timer ends the workflow task: what was issued so far is sent, and the next task starts with an empty message.
      await sleep(1);
    }
    this.#spent += bytes;
  }
}

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
