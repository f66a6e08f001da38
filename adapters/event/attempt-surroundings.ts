import type { MillraceEvent } from '../../src/event/event.js';
import type { Subscriber, SubscriberContext } from '../../src/event/subscriber.js';

/** A subscriber that puts something around the code of attempts. */
export type SurroundingSubscriber = Subscriber & Required<Pick<Subscriber, 'around'>>;

/** True for a subscriber with `around`. */
export function surrounds(subscriber: Subscriber): subscriber is SurroundingSubscriber {
  return subscriber.around !== undefined;
}

/** What is around the code of an attempt. */
interface Surroundings {
  /** The first is the outermost. */
  readonly by: readonly SurroundingSubscriber[];
  /** That the attempt begins. */
  readonly event: MillraceEvent;
  readonly context: SubscriberContext;
}

/**
 * Runs the code of an attempt inside of what subscribers put around it: once, and in any case. What they throw is logged.
 *
 * Two other ways were thought of for what this is for, active spans. A channel of `diagnostics_channel` with `bindStore` can bind an
 * `AsyncLocalStorage` alone: that of OpenTelemetry's context manager is private, and its API knows only `context.with(context, code)`. Such a
 * channel is also of the whole process, so that a worker would have its code run by the subscribers of another one. An interceptor for
 * activities knows no attempts: quick operations share an activity, which retries them inside of itself; and it would have to be set up in a
 * second place, beside the subscriber whose spans it needs.
 *
 * @returns what the code comes to
 */
export function runSurrounded<T>(code: () => Promise<T>, surroundings: Surroundings): Promise<T> {
  const { by, event, context } = surroundings;
  return by.reduceRight(
    (inner, subscriber) => () => runInside(inner, subscriber, event, context),
    code,
  )();
}

function runInside<T>(
  code: () => Promise<T>,
  { name: subscriber, around }: SurroundingSubscriber,
  event: MillraceEvent,
  context: SubscriberContext,
): Promise<T> {
  const attempt = new OnceRunning(code);
  const { event_type: type, task_uuid: task } = event;
  const failed = (err: unknown): void => {
    context.log.error({ err, subscriber, event: type, task }, 'a subscriber failed');
  };
  const run = (): void => {
    void attempt.begin();
  };
  try {
    const returned = around(event, run, context);
    // Where an asynchronous function is in its place, a rejection that nobody sees would end the process.
    if (returned instanceof Promise) returned.catch(failed);
    if (!attempt.hasBegun)
      failed(new Error('around has returned, and has not called run: the code runs without it.'));
  } catch (error) {
    failed(error);
  }
  return attempt.begin();
}

/** Code that runs once, however often it is asked to. */
class OnceRunning<T> {
  readonly #code: () => Promise<T>;
  #running: Promise<T> | undefined;

  constructor(code: () => Promise<T>) {
    this.#code = code;
  }

  get hasBegun(): boolean {
    return this.#running !== undefined;
  }

  begin(): Promise<T> {
    return (this.#running ??= this.#code());
  }
}
