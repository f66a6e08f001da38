import type { MillraceEvent } from '../../src/event/event.js';
import type { Log } from '../../src/pipeline/context.js';

/** Most events that a listener may have begun with and not ended. Further ones are not delivered to it. */
const MAX_PENDING = 1_000;

/** How often it is told at most that events are not delivered. */
const COMPLAINT_INTERVAL_MS = 60_000;

/** A function that is told of events, and whose errors, delays and floods harm nobody. */
export class GuardedListener {
  readonly #name: string;
  readonly #handle: (event: MillraceEvent) => unknown;
  readonly #log: Log;
  #pending = 0;
  #dropped = 0;
  #complainedAt = -Infinity;
  #idle: (() => void)[] = [];

  constructor(name: string, handle: (event: MillraceEvent) => unknown, log: Log) {
    this.#name = name;
    this.#handle = handle;
    this.#log = log;
  }

  /** Calls the function. Nothing is thrown, and nothing waits for what it returns. */
  tell(event: MillraceEvent): void {
    if (this.#pending >= MAX_PENDING) {
      this.#drop();
      return;
    }
    try {
      const returned = this.#handle(event);
      if (isThenable(returned)) this.#follow(event, returned);
    } catch (error) {
      this.#failed(event, error);
    }
  }

  /** Resolves when nothing that was begun goes on. */
  async idle(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #follow(event: MillraceEvent, returned: PromiseLike<unknown>): void {
    this.#pending += 1;
    Promise.resolve(returned)
      .catch((error: unknown) => {
        this.#failed(event, error);
      })
      .finally(() => {
        this.#pending -= 1;
        if (this.#pending > 0) return;
        for (const resolve of this.#idle.splice(0)) resolve();
      })
      // Only a logger that throws gets here.
      .catch(() => undefined);
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
