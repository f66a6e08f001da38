import type { Worker } from '@temporalio/worker';
import { coreOf } from '../adapters/record-store/define-store.js';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import { STAMP_EVERY_MS, stampMachine } from '../adapters/record-store/store-machine.js';
import type { Logger } from '../activities/dependencies.js';
import type { Registry } from '../engine/registry.js';
import { storeQueue } from '../src/record-pipeline/plan.js';
import { StoreUnusable } from '../src/record-store/errors.js';

/** What {@link StoreWorkers} needs. */
export interface StoreWorkersOptions {
  /** The project's folder, where relative paths of stores start. */
  readonly dir: string;
  readonly log: Logger;
  /** Stores stay open at the end: they belong to a script, which may go on with them. */
  readonly keepsOpen: boolean;
  /** Makes a worker for the activities of one task queue. */
  readonly create: (taskQueue: string) => Promise<Worker>;
}

/** A store that is served. */
interface Served {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  readonly stamping: NodeJS.Timeout;
}

/**
 * The workers of the record stores on this machine: each store has a task queue of its own, which only those poll that have
 * it.
 */
export class StoreWorkers {
  readonly #served = new Map<string, Served>();
  readonly #beginning = new Map<SqliteStore, Promise<void>>();
  readonly #stores = new Set<SqliteStore>();
  #isStopped = false;

  constructor(private readonly options: StoreWorkersOptions) {}

  /**
   * Begins to take the work of the stores of the deployed code that are on this machine. Others are made when a run looks for
   * them. What is wrong with one keeps no other from being served; a run of its pipelines fails with the same words.
   */
  async serveAll({ recordPipelines }: Registry): Promise<void> {
    const stores = new Set([...recordPipelines.values()].map(({ store }) => coreOf(store)));
    for (const store of stores) {
      try {
        store.startAt(this.options.dir);
        this.#stores.add(store);
        if (store.exists) await this.serve(store);
      } catch (error) {
        this.options.log.error({ err: error, store: store.dir }, 'a record store cannot be used');
      }
    }
  }

  /** Opens a store, and begins to take its work, where nobody here does yet. @throws {@link StoreUnusable} */
  async serve(store: SqliteStore): Promise<void> {
    const beginning = this.#beginning.get(store) ?? this.#serve(store);
    this.#beginning.set(store, beginning);
    try {
      await beginning;
    } finally {
      this.#beginning.delete(store);
    }
  }

  async #serve(store: SqliteStore): Promise<void> {
    const queue = storeQueue(store.id);
    if (this.#served.has(queue) || this.#isStopped) return;
    stampMachine(store.dir, new Date());
    const worker = await this.options.create(queue);
    const ended = worker.run().catch((error: unknown) => {
      this.options.log.warn({ err: error, store: store.dir }, 'the worker of a record store ended');
    });
    const stamping = setInterval(() => {
      this.#stamp(store, worker);
    }, STAMP_EVERY_MS).unref();
    this.#served.set(queue, { worker, ended, stamping });
  }

  /** Who was away for long, and finds another machine in the store, takes no more of its work. */
  #stamp(store: SqliteStore, worker: Worker): void {
    try {
      stampMachine(store.dir, new Date());
    } catch (error) {
      this.options.log.error({ err: error, store: store.dir }, 'a record store cannot be used');
      if (error instanceof StoreUnusable && worker.getState() === 'RUNNING') worker.shutdown();
    }
  }

  /** Stops taking work, waits for what is in progress, and closes the stores unless they are to stay open. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#beginning.values());
    const running = [...this.#served.values()];
    for (const { worker, stamping } of running) {
      clearInterval(stamping);
      if (worker.getState() === 'RUNNING') worker.shutdown();
    }
    await Promise.all(running.map(({ ended }) => ended));
    if (!this.options.keepsOpen) for (const store of this.#stores) store.close();
  }
}
