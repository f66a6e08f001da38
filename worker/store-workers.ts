import type { Worker } from '@temporalio/worker';
import { coreOf } from '../adapters/record-store/define-store.js';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import type { Logger } from '../activities/dependencies.js';
import type { Registry } from '../engine/registry.js';
import { storeQueue } from '../src/record-pipeline/plan.js';

/** What {@link StoreWorkers} needs. */
export interface StoreWorkersOptions {
  /** The project's folder, where relative paths of stores start. */
  readonly dir: string;
  readonly log: Logger;
  /** Makes a worker for the activities of one task queue. */
  readonly create: (taskQueue: string) => Promise<Worker>;
}

/**
 * The workers of the record stores on this machine: each store has a task queue of its own, which only those poll that have
 * it.
 */
export class StoreWorkers {
  readonly #workers = new Map<string, { readonly worker: Worker; readonly ended: Promise<void> }>();
  readonly #stores = new Set<SqliteStore>();
  #isStopped = false;

  constructor(private readonly options: StoreWorkersOptions) {}

  /**
   * Opens the stores of the deployed code, and begins to take the work of those that nobody here takes yet. What is wrong with
   * one keeps no other from being served; a run of its pipelines fails with the same words.
   */
  async serve({ recordPipelines }: Registry): Promise<void> {
    const stores = new Set([...recordPipelines.values()].map(({ store }) => coreOf(store)));
    for (const store of stores) {
      try {
        await this.#serve(store);
      } catch (error) {
        this.options.log.error({ err: error, store: store.dir }, 'a record store cannot be used');
      }
    }
  }

  async #serve(store: SqliteStore): Promise<void> {
    store.startAt(this.options.dir);
    this.#stores.add(store);
    const queue = storeQueue(store.id);
    if (this.#workers.has(queue) || this.#isStopped) return;
    const worker = await this.options.create(queue);
    const ended = worker.run().catch((error: unknown) => {
      this.options.log.warn({ err: error, store: store.dir }, 'the worker of a record store ended');
    });
    this.#workers.set(queue, { worker, ended });
  }

  /** Stops taking work, waits for what is in progress, and closes the stores. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const running = [...this.#workers.values()];
    for (const { worker } of running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running.map(({ ended }) => ended));
    for (const store of this.#stores) store.close();
  }
}
