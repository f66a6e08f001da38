import { setMaxListeners } from 'node:events';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { LongPolls } from './history/long-polls.js';

/** Time between two looks at a run for which there is no long poll left. */
const LOOK_INTERVAL_MS = 1_000;

interface Wait {
  readonly result: Promise<unknown>;
  readonly stop: AbortController;
  waiters: number;
  over: boolean;
}

/**
 * Waits for results. Whoever waits for the same run shares one long poll, which is given back when the last of them
 * leaves: a run may take hours longer than anybody waits for it.
 */
export class RunResults {
  readonly #waits = new Map<string, Wait>();

  constructor(
    private readonly client: Client,
    private readonly polls: LongPolls,
  ) {}

  /** Number of runs whose results are being waited for. */
  get size(): number {
    return this.#waits.size;
  }

  /**
   * The workflow's result; throws what {@link WorkflowHandle.result} throws.
   *
   * @param signal - ends this wait with the signal's reason; the run goes on
   */
  async of(handle: WorkflowHandle, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    const wait = this.#waits.get(handle.workflowId) ?? this.#begin(handle);
    wait.waiters += 1;
    let onAbort: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      onAbort = () => {
        reject(
          signal?.reason instanceof Error ? signal.reason : new Error('nobody waits any more'),
        );
      };
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await (signal === undefined ? wait.result : Promise.race([wait.result, left]));
    } finally {
      signal?.removeEventListener('abort', onAbort);
      wait.waiters -= 1;
      if (wait.waiters === 0) this.#end(handle.workflowId, wait);
    }
  }

  #begin(handle: WorkflowHandle): Wait {
    const stop = new AbortController();
    // Temporal's client adds a listener for each of its polls, one a minute, and takes none off before the run has ended.
    setMaxListeners(0, stop.signal);
    const result = this.#result(handle, stop.signal);
    const wait: Wait = { result, stop, waiters: 0, over: false };
    const onEnd = (): void => {
      wait.over = true;
    };
    // Every waiter may have left before it fails.
    result.then(onEnd, onEnd);
    this.#waits.set(handle.workflowId, wait);
    return wait;
  }

  #end(workflowId: string, wait: Wait): void {
    if (this.#waits.get(workflowId) === wait) this.#waits.delete(workflowId);
    // Nothing is left to be stopped, and an abort makes an error with a stack.
    if (!wait.over) wait.stop.abort();
  }

  async #result(handle: WorkflowHandle, signal: AbortSignal): Promise<unknown> {
    const release = this.polls.take();
    try {
      if (release === undefined) await this.#closed(handle, signal);
      return await this.client.connection.withAbortSignal(signal, () => handle.result());
    } finally {
      release?.();
    }
  }

  async #closed(handle: WorkflowHandle, signal: AbortSignal): Promise<void> {
    while ((await handle.describe()).status.name === 'RUNNING')
      await delay(LOOK_INTERVAL_MS, undefined, { signal });
  }
}
