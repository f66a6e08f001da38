import type { Worker } from '@temporalio/worker';
import { coreOf } from '../adapters/record-store/define-store.js';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import {
  HOST,
  STAMP_EVERY_MS,
  stampMachine,
  unstampMachine,
} from '../adapters/record-store/store-machine.js';
import { errorMessage } from '../adapters/error-parts.js';
import type { Logger } from '../activities/dependencies.js';
import type { Registry } from '../engine/registry.js';
import { storeQueue } from '../src/record-pipeline/plan.js';
import { isInUse, type StoreCatalog } from '../src/record-pipeline/store-catalog.js';
import { StoreUnusable } from '../src/record-store/errors.js';

/** What {@link StoreWorkers} needs. */
export interface StoreWorkersOptions {
  /** The project's folder, where relative paths of stores start. */
  readonly dir: string;
  readonly log: Logger;
  /** Stores stay open at the end: they belong to a script, which may go on with them. */
  readonly keepsOpen: boolean;
  /** Knows where stores are, on whatever machine. Absent where all of them are on this one. */
  readonly catalog?: () => Promise<StoreCatalog>;
  /** Makes a worker for the activities of one task queue. */
  readonly create: (taskQueue: string) => Promise<Worker>;
}

/** A store that is served. */
interface Served {
  readonly store: SqliteStore;
  readonly worker: Worker;
  readonly ended: Promise<void>;
}

/**
 * The workers of the record stores on this machine: each store has a task queue of its own, which only those poll that have
 * it.
 */
export class StoreWorkers {
  readonly #served = new Map<string, Served>();
  readonly #beginning = new Map<SqliteStore, Promise<void>>();
  /** The stores of the deployed code, with the names of their pipelines. */
  #stores: ReadonlyMap<SqliteStore, readonly string[]> = new Map();
  /** Why stores are not served, as it was told last. */
  readonly #told = new Map<SqliteStore, string>();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(private readonly options: StoreWorkersOptions) {}

  /**
   * Begins to take the work of the stores of the deployed code that are on this machine. Others are made when a run looks for
   * them. What is wrong with one keeps no other from being served; it is tried again, and a run of its pipelines fails with the same
   * words.
   */
  async serveAll({ recordPipelines }: Registry): Promise<void> {
    const stores = new Map<SqliteStore, string[]>();
    for (const [name, pipeline] of recordPipelines) {
      const store = coreOf(pipeline.store);
      stores.set(store, [...(stores.get(store) ?? []), name]);
    }
    this.#stores = stores;
    await this.#look();
    this.#timer ??= setInterval(() => {
      void (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
    }, STAMP_EVERY_MS).unref();
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

  /** Serves what can be, and says of what is served that it is used. */
  async #look(): Promise<void> {
    for (const [store, pipelines] of this.#stores) {
      if (this.#isStopped) return;
      try {
        await this.#lookAt(store, pipelines);
        this.#told.delete(store);
      } catch (error) {
        const message = errorMessage(error);
        if (this.#told.get(store) !== message)
          this.options.log.error({ err: error, store: store.dir }, 'a record store cannot be used');
        this.#told.set(store, message);
      }
    }
  }

  async #lookAt(store: SqliteStore, pipelines: readonly string[]): Promise<void> {
    if (!this.#isServed(store)) store.startAt(this.options.dir);
    if (!store.exists) return;
    await this.#checkPlace(store, pipelines);
    await this.serve(store);
    this.#stamp(store);
    await this.#touch(store, pipelines, new Date());
  }

  #isServed(store: SqliteStore): boolean {
    return [...this.#served.values()].some((served) => served.store === store);
  }

  async #serve(store: SqliteStore): Promise<void> {
    const queue = storeQueue(store.id);
    if (this.#served.has(queue) || this.#isStopped) return;
    stampMachine(store.dir, new Date());
    const worker = await this.options.create(queue);
    const ended = worker
      .run()
      .catch((error: unknown) => {
        this.options.log.warn(
          { err: error, store: store.dir },
          'the worker of a record store ended',
        );
      })
      .finally(() => this.#served.delete(queue));
    this.#served.set(queue, { store, worker, ended });
  }

  /** @throws {@link StoreUnusable} for a copy of a store that another machine uses */
  async #checkPlace(store: SqliteStore, pipelines: readonly string[]): Promise<void> {
    const catalog = await this.options.catalog?.();
    for (const pipeline of pipelines) {
      const known = await catalog?.find(pipeline);
      if (known === undefined || known.host === HOST || known.id !== store.id) continue;
      if (isInUse(known, new Date()))
        throw new StoreUnusable(
          store.dir,
          `is a copy of the store that ${pipeline} has in ${known.dir} on ${known.host}, where it is used. Stop the workers there to have it used here.`,
        );
    }
  }

  /** Who was away for long, and finds another machine in the store, takes no more of its work. */
  #stamp(store: SqliteStore): void {
    try {
      stampMachine(store.dir, new Date());
    } catch (error) {
      for (const { store: served, worker } of this.#served.values())
        if (served === store && worker.getState() === 'RUNNING') worker.shutdown();
      throw error;
    }
  }

  async #touch(store: SqliteStore, pipelines: readonly string[], seenAt: Date): Promise<void> {
    const catalog = await this.options.catalog?.();
    if (catalog === undefined) return;
    const { id, dir } = store;
    for (const pipeline of pipelines)
      await catalog.touch(pipeline, { id, dir, host: HOST, seenAt });
  }

  /** Stops taking work, waits for what is in progress, and closes the stores unless they are to stay open. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await Promise.allSettled([this.#looking, ...this.#beginning.values()]);
    const running = [...this.#served.values()];
    for (const { worker } of running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running.map(({ ended }) => ended));
    for (const { store } of running) await this.#leave(store);
    if (!this.options.keepsOpen) for (const store of this.#stores.keys()) store.close();
  }

  /** Another machine need not wait until this one is taken for gone. */
  async #leave(store: SqliteStore): Promise<void> {
    try {
      unstampMachine(store.dir);
      await this.#touch(store, this.#stores.get(store) ?? [], new Date(0));
    } catch (error) {
      this.options.log.debug({ err: error, store: store.dir }, 'a record store was not signed off');
    }
  }
}
