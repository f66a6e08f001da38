import * as diagnostics from 'node:diagnostics_channel';
import pino from 'pino';
import { EVERY_EVENT_CHANNEL, type MillraceEvent } from '../src/event/event.js';
import { matchesPattern, patternProblem } from '../src/event/event-pattern.js';
import type { Log } from '../src/pipeline/context.js';
import { concurrencyProblem } from '../src/event/subscriber.js';
import { GuardedListener } from '../adapters/event/guarded-listener.js';

/** What {@link subscribe} takes besides. */
export interface SubscribeOptions {
  /** How many events the function may have begun with and not ended, 1 to 1,000: more than 1 gives up their order. 1 unless set. */
  readonly concurrency?: number;
  /** Where errors of the function go. Standard error unless set. */
  readonly log?: Log;
}

/** A pattern of event types cannot be read, or an option is no good. */
export class InvalidSubscription extends TypeError {
  override readonly name = 'InvalidSubscription';
  constructor(
    readonly pattern: unknown,
    readonly options: SubscribeOptions,
    why: string,
  ) {
    super(why);
  }
}

/**
 * Has a function called with each event of this process whose type a pattern means: `step.execution.failed`, `*.execution.failed`,
 * `run.execution.*` (runs of every kind), `payment.**`. What it throws, or what a promise that it returns rejects with, goes to `log` and changes
 * nothing else. It is told of one event after the other: of the next one when such a promise is settled.
 *
 * Whoever subscribes to the channels of `node:diagnostics_channel` by themselves is under its own rule: an error there is an uncaught exception.
 *
 * @returns a function that ends the subscription
 * @throws {@link InvalidSubscription}
 *
 * @example
 * ```ts
 * const unsubscribe = subscribe('step.execution.failed', ({ payload }) => alerts.push(payload));
 * ```
 */
export function subscribe(
  pattern: string,
  handle: (event: MillraceEvent) => unknown,
  options: SubscribeOptions = {},
): () => void {
  const { concurrency } = options;
  const wrong = patternProblem(pattern) ?? concurrencyProblem(concurrency);
  if (wrong !== undefined) throw new InvalidSubscription(pattern, options, wrong);
  const listener = new GuardedListener(
    { name: pattern, handle, concurrency },
    options.log ?? standardError(),
  );
  const listen = (message: unknown): void => {
    // Only the bridge publishes on this channel.
    const event = message as MillraceEvent;
    if (matchesPattern(pattern, event.event_type)) listener.tell(event);
  };
  diagnostics.subscribe(EVERY_EVENT_CHANNEL, listen);
  return () => {
    diagnostics.unsubscribe(EVERY_EVENT_CHANNEL, listen);
    listener.close();
  };
}

let log: Log | undefined;

/** Where no logger is given. Made when it is needed: most processes never do. */
function standardError(): Log {
  return (log ??= pino({ level: 'warn' }, pino.destination(2)));
}
