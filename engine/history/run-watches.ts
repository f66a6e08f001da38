import type { Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import { LongPolls } from './long-polls.js';
import { readHistoryPage } from './read-history.js';
import { RunFold } from './run-fold.js';
import { RunWatch } from './run-watch.js';

/** Folds of closed runs that are kept, by number and by characters of JSON: nothing changes in them any more. */
const KEPT_FOLDS = { max: 500, maxSize: 64 * 1024 * 1024 };

/** Most pages of one history that a look reads; Temporal ends a run long before. */
const MAX_PAGES = 200;

/** All runs that a process watches or has looked at. Watchers of one run share a long poll. */
export class RunWatches {
  readonly #watches = new Map<string, RunWatch>();
  readonly #closed = new LRUCache<string, RunFold>({
    ...KEPT_FOLDS,
    // Events and progress repeat each other; one of them tells the size well enough.
    sizeCalculation: (fold) => 1 + 2 * JSON.stringify(fold.progress ?? null).length,
  });
  readonly #polls: LongPolls;

  constructor(
    private readonly client: Client,
    polls = new LongPolls(),
  ) {
    this.#polls = polls;
  }

  /** Number of runs that are being watched. */
  get size(): number {
    return this.#watches.size;
  }

  /** Watches a run. Ask for its events at once: a watch without watchers is given up. */
  watch(workflowId: string, runId: string): RunWatch {
    const key = `${workflowId} ${runId}`;
    const known = this.#watches.get(key);
    if (known !== undefined) return known;
    const watch: RunWatch = new RunWatch(this.client, this.#polls, workflowId, runId, () => {
      if (this.#watches.get(key) === watch) this.#watches.delete(key);
      if (watch.fold.closed) this.#closed.set(key, watch.fold);
    });
    this.#watches.set(key, watch);
    return watch;
  }

  /** A run's history as it is now, folded. */
  async look(workflowId: string, runId: string): Promise<RunFold> {
    const key = `${workflowId} ${runId}`;
    const closed = this.#closed.get(key);
    if (closed !== undefined) return closed;
    const fold = new RunFold(this.client.options.loadedDataConverter, runId);
    let nextPageToken: Uint8Array | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { runId: reading } = fold;
      const read = await readHistoryPage(this.client, {
        workflowId,
        runId: reading,
        wait: false,
        ...(nextPageToken !== undefined && { nextPageToken }),
      });
      await fold.take(read.events);
      nextPageToken = read.nextPageToken.length === 0 ? undefined : read.nextPageToken;
      if (nextPageToken === undefined && fold.runId === reading) break;
    }
    if (fold.closed) this.#closed.set(key, fold);
    return fold;
  }
}
