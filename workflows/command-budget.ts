import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';

/** Largest single payload that Temporal takes, less room for the envelope around it. */
const MAX_PAYLOAD_BYTES = 2 * 1024 * 1024 - 16 * 1024;

/** Most bytes of commands in one workflow task, but for a single larger one. A message of more than 4 MiB is refused for ever. */
const MAX_TASK_BYTES = 2 * 1024 * 1024;

/** Keeps what one workflow task sends to the server within the size that the server takes. */
export class CommandBudget {
  #spent = 0;
  /** History's length when the current workflow task began: it tells one task from the next. */
  #task = 0;
  #queue = Promise.resolve();
  #wake: () => void = () => undefined;

  /**
   * Waits, where needed, until a command of that size fits into the current workflow task. One after the other: parallel
   * operations would otherwise all find room in the same task.
   */
  async spend(bytes: number): Promise<void> {
    const turn = this.#queue.then(() => this.#admit(bytes));
    // A cancelled wait must not keep those behind it from getting their turn.
    this.#queue = turn.catch(() => undefined);
    await turn;
  }

  /** Something came back from the server, so that another workflow task may have begun. */
  returned(): void {
    this.#wake();
  }

  async #admit(bytes: number): Promise<void> {
    while (this.#spentInTask() > 0 && this.#spent + bytes > MAX_TASK_BYTES) await this.#nextTask();
    this.#spent += bytes;
  }

  #spentInTask(): number {
    const { historyLength } = workflowInfo();
    if (historyLength !== this.#task) this.#spent = 0;
    this.#task = historyLength;
    return this.#spent;
  }

  /** The task ends when everything waits. What comes back first begins the next one: an activity, or else a timer. */
  async #nextTask(): Promise<void> {
    const timer = new CancellationScope();
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    try {
      await Promise.race([timer.run(() => sleep(1)), woken]);
    } finally {
      timer.cancel();
    }
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
