import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { EventPosition, RunEvent } from '../../src/progress/run-event.js';
import { describeHints, type HintMemory } from './hints.js';
import type { LongPolls } from './long-polls.js';
import { isNotFound, readHistoryPage } from './read-history.js';
import { ResumedStory } from './resumed-story.js';
import { RunFold } from './run-fold.js';
import { ChangeSignal } from './signal.js';

/** Time between two looks at a run: for hints, and for history where no long poll is to be had. */
const LOOK_INTERVAL_MS = 1_000;

/** Wait after an error of the server, doubled with each that follows, up to the longest. */
const RETRY_MS = { first: 250, longest: 10_000 } as const;

/** Most errors of the server in a row; then watchers get the error. */
const MAX_ERRORS = 10;

/** What a watcher wants. */
export interface WatchOptions {
  /** Only what comes after this event. */
  readonly after?: EventPosition | undefined;
  /** Also live hints, which carry no id. */
  readonly hints?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** One run, watched by any number of readers over one long poll. Reads while somebody watches. */
export class RunWatch {
  readonly fold: RunFold;
  readonly #changed = new ChangeSignal();
  readonly #stop = new AbortController();
  readonly #memory: HintMemory = new Map();
  #watchers = 0;
  #started = false;
  #ended = false;
  #error: Error | undefined;
  #hints: { readonly round: number; readonly events: readonly RunEvent[] } = {
    round: 0,
    events: [],
  };

  constructor(
    private readonly client: Client,
    private readonly polls: LongPolls,
    private readonly workflowId: string,
    private readonly firstRunId: string,
    private readonly onIdle: () => void,
  ) {
    this.fold = new RunFold(client.options.loadedDataConverter, firstRunId);
  }

  /** The run's events, past ones first, until it is closed. */
  async *events({ after, hints = false, signal }: WatchOptions = {}): AsyncGenerator<RunEvent> {
    this.#watchers += 1;
    this.#start();
    const story = new ResumedStory(after, this.firstRunId);
    const aborted = abortion(signal);
    try {
      let next = 0;
      let { round } = this.#hints;
      while (signal?.aborted !== true) {
        const changed = this.#changed.next;
        for (; next < this.fold.events.length; next += 1) {
          const placed = this.fold.events[next];
          if (placed !== undefined) yield* story.take(placed);
        }
        if (hints && this.#hints.round > round) {
          ({ round } = this.#hints);
          yield* this.#hints.events;
        }
        // Both may have grown while the reader was busy with what it got.
        if (next < this.fold.events.length) continue;
        if (this.#ended) break;
        await Promise.race([changed, aborted.promise]);
      }
      if (signal?.aborted === true) return;
      if (this.#error !== undefined) throw this.#error;
      yield* story.rest();
    } finally {
      aborted.dispose();
      this.#watchers -= 1;
      if (this.#watchers === 0) this.#idle();
    }
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#read();
    void this.#lookForHints();
  }

  #idle(): void {
    this.#stop.abort();
    this.onIdle();
  }

  async #read(): Promise<void> {
    const release = this.polls.take();
    let nextPageToken: Uint8Array | undefined;
    let errors = 0;
    try {
      while (!this.#stop.signal.aborted && !this.fold.closed) {
        try {
          nextPageToken = await this.#readPage(nextPageToken, release !== undefined);
          errors = 0;
        } catch (error) {
          errors += 1;
          if (isNotFound(error) || errors > MAX_ERRORS) throw error;
          await this.#pause(Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** errors));
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted)
        this.#error = error instanceof Error ? error : new Error(String(error));
    } finally {
      release?.();
      this.#ended = true;
      this.#changed.notify();
    }
  }

  /** Reads on from a page's token. Without a long poll of its own, it looks again after a while. */
  async #readPage(
    nextPageToken: Uint8Array | undefined,
    wait: boolean,
  ): Promise<Uint8Array | undefined> {
    const { runId } = this.fold;
    const page = await readHistoryPage(this.client, {
      workflowId: this.workflowId,
      runId,
      wait,
      signal: this.#stop.signal,
      ...(nextPageToken !== undefined && { nextPageToken }),
    });
    // Without waiting there is no token to go on from: what was read before comes again.
    const fresh = page.events.filter((event) => Number(event.eventId) > this.#lastRead);
    await this.fold.take(fresh);
    this.#lastRead = Number(fresh.at(-1)?.eventId ?? this.#lastRead);
    if (fresh.length > 0) this.#changed.notify();
    if (this.fold.runId !== runId) {
      this.#lastRead = 0;
      return undefined;
    }
    if (!wait && page.nextPageToken.length === 0 && !this.fold.closed)
      await this.#pause(LOOK_INTERVAL_MS);
    return page.nextPageToken.length === 0 ? undefined : page.nextPageToken;
  }

  #lastRead = 0;

  async #lookForHints(): Promise<void> {
    for (;;) {
      await this.#pause(LOOK_INTERVAL_MS);
      if (this.#ended || this.#stop.signal.aborted) return;
      // Best effort: what cannot be had now may be had in a second.
      const events = await describeHints(
        this.client,
        this.workflowId,
        this.fold,
        this.#memory,
      ).catch(() => []);
      if (events.length === 0) continue;
      this.#hints = { round: this.#hints.round + 1, events };
      this.#changed.notify();
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
  }
}

function abortion(signal: AbortSignal | undefined): {
  readonly promise: Promise<void>;
  readonly dispose: () => void;
} {
  let onAbort: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    onAbort = resolve;
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    promise,
    dispose: () => signal?.removeEventListener('abort', onAbort),
  };
}
