import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import { applicationFailure } from './failure.js';

/** Most bytes of commands in one workflow task, but for a single larger one. A message of more than 4 MiB is refused for ever. */
const MAX_TASK_BYTES = 2 * 1024 * 1024;

/** Keeps what one workflow task sends to the server within the size that the server takes. */
export class CommandBudget {
  #spent = 0;
  /** History's length when the current workflow task began: it tells one task from the next. */
  #task = 0;
  /** The last one that waits for its turn. */
  #queue: Promise<void> | undefined;
  #waiting = 0;
  #wake: () => void = () => undefined;

  /**
   * Takes room for a command in the current workflow task. Most commands fit; then there is nothing to wait for, and no
   * promise: Temporal's SDK records a stack trace for each promise that workflow code makes.
   *
   * @returns undefined, or a promise that resolves when the command may be issued
   */
  spend(bytes: number): Promise<void> | undefined {
    requireHistory(bytes);
    if (this.#waiting > 0 || !this.#fits(bytes)) return this.#inTurn(bytes);
    this.#spent += bytes;
    return undefined;
  }

  /** Something came back from the server, so that another workflow task may have begun. */
  returned(): void {
    this.#wake();
  }

  /** One after the other: parallel operations would otherwise all find room in the same task. */
  async #inTurn(bytes: number): Promise<void> {
    this.#waiting += 1;
    const turn = (this.#queue ?? Promise.resolve()).then(() => this.#admit(bytes));
    // A cancelled wait must not keep those behind it from getting their turn.
    this.#queue = turn.catch(() => undefined);
    try {
      await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #admit(bytes: number): Promise<void> {
    while (!this.#fits(bytes)) await this.#nextTask();
    // What was admitted before it is in history by now.
    requireHistory(bytes);
    this.#spent += bytes;
  }

  /** A command that is alone in its task always fits. */
  #fits(bytes: number): boolean {
    return this.#spentInTask() === 0 || this.#spent + bytes <= MAX_TASK_BYTES;
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

/** Most bytes and events of a run's history, less room for its end. Temporal terminates a run that has more: 50 MiB, 51,200. */
const MAX_HISTORY = { bytes: 45 * 1024 * 1024, events: 50_000 } as const;

/** Ends the run with an error that says why, before Temporal terminates it with one that does not. */
function requireHistory(bytes: number): void {
  const { historySize, historyLength } = workflowInfo();
  if (historySize + bytes <= MAX_HISTORY.bytes && historyLength <= MAX_HISTORY.events) return;
  const remedy =
    historyLength > MAX_HISTORY.events
      ? 'Split the work into several runs.'
      : 'Keep large data in a store and pass references.';
  throw applicationFailure({
    type: FAILURE_TYPES.payloadLimit,
    message:
      `The run's history has ${String(historySize)} bytes and ${String(historyLength)} events; the most is ` +
      `${String(MAX_HISTORY.bytes)} bytes and ${String(MAX_HISTORY.events)} events. ${remedy}`,
    retryable: false,
  });
}
