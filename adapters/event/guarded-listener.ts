import type { MillraceEvent } from '../../src/event/event.js';
import type { Log } from '../../src/pipeline/context.js';

/** Most events that a listener may have been told of, or have waiting, and not ended. Further ones are not delivered to it. */
const MAX_PENDING = 1_000;

/** How often it is told at most that events are not delivered. */
const COMPLAINT_INTERVAL_MS = 60_000;

/** What is told of events. */
export interface Listening {
  readonly name: string;
  readonly handle: (event: MillraceEvent) => unknown;
  /** How many events it may have begun with and not ended. 1 unless set: it gets them in their order, one after the other. */
  readonly concurrency?: number | undefined;
}

/** A function that is told of events, and whose errors, delays and floods harm nobody. */
export class GuardedListener {
  readonly #name: string;
  readonly #handle: (event: MillraceEvent) => unknown;
  readonly #concurrency: number;
  readonly #log: Log;
  readonly #waiting: MillraceEvent[] = [];
  #running = 0;
  #dropped = 0;
  #complainedAt = -Infinity;
  #idle: (() => void)[] = [];

  constructor({ name, handle, concurrency = 1 }: Listening, log: Log) {
    this.#name = name;
    this.#handle = handle;
    this.#concurrency = concurrency;
    this.#log = log;
  }

  /** Calls the function, at once where it is done with what it was told before. Nothing is thrown, and nothing waits for what it returns. */
  tell(event: MillraceEvent): void {
    if (this.#running < this.#concurrency) this.#call(event);
    else if (this.#running + this.#waiting.length < MAX_PENDING) this.#waiting.push(event);
    else this.#drop();
  }

  /** Forgets what waits, so that the function is not called any more. */
  close(): void {
    this.#waiting.length = 0;
  }

  /** Resolves when nothing that was begun goes on, and nothing waits. */
  async idle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #call(event: MillraceEvent): void {
    try {
      const returned = this.#handle(event);
      if (isThenable(returned)) this.#follow(event, returned);
    } catch (error) {
      this.#failed(event, error);
    }
  }

  #follow(event: MillraceEvent, returned: PromiseLike<unknown>): void {
    this.#running += 1;
    Promise.resolve(returned)
      .catch((error: unknown) => {
        this.#failed(event, error);
      })
      .finally(() => {
        this.#running -= 1;
        this.#next();
      })
      // Only a logger that throws gets here.
      .catch(() => undefined);
  }

  #next(): void {
    while (this.#running < this.#concurrency) {
      const event = this.#waiting.shift();
      if (event === undefined) break;
      this.#call(event);
    }
    if (this.#running > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #failed({ event_type: event, task_uuid: task }: MillraceEvent, error: unknown): void {
    this.#log.error({ err: error, subscriber: this.#name, event, task }, 'a subscriber failed');
  }

  #drop(): void {
    this.#dropped += 1;
    const now = performance.now();
    if (now - this.#complainedAt < COMPLAINT_INTERVAL_MS) return;
    this.#complainedAt = now;
    this.#log.error(
      { subscriber: this.#name, dropped: this.#dropped, limit: MAX_PENDING },
      'a subscriber is too slow: events were not delivered to it',
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
