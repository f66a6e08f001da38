import * as diagnostics from 'node:diagnostics_channel';
import pino from 'pino';
import { EVERY_EVENT_CHANNEL, type MillraceEvent } from '../src/event/event.js';
import { matchesPattern, patternProblem } from '../src/event/event-pattern.js';
import type { Log } from '../src/pipeline/context.js';
import { GuardedListener } from '../adapters/event/guarded-listener.js';

/** A pattern of event types cannot be read. */
export class InvalidEventPattern extends TypeError {
  override readonly name = 'InvalidEventPattern';
  constructor(
    readonly pattern: unknown,
    why: string,
  ) {
    super(why);
  }
}

/**
 * Has a function called with each event of this process whose type a pattern means: `step.execution.failed`, `*.execution.failed`,
 * `run.execution.*` (runs of every kind), `payment.**`. What it throws, or what a promise that it returns rejects with, goes to `log` and changes
 * nothing else.
 *
 * Whoever subscribes to the channels of `node:diagnostics_channel` by themselves is under its own rule: an error there is an uncaught exception.
 *
 * @param options.log - where errors of the function go; standard error unless set
 * @returns a function that ends the subscription
 * @throws {@link InvalidEventPattern}
 *
 * @example
 * ```ts
 * const unsubscribe = subscribe('step.execution.failed', ({ payload }) => alerts.push(payload));
 * ```
 */
export function subscribe(
  pattern: string,
  handle: (event: MillraceEvent) => unknown,
  options: { readonly log?: Log } = {},
): () => void {
  const wrong = patternProblem(pattern);
  if (wrong !== undefined) throw new InvalidEventPattern(pattern, wrong);
  const listener = new GuardedListener(pattern, handle, options.log ?? standardError());
  const listen = (message: unknown): void => {
    // Only the bridge publishes on this channel.
    const event = message as MillraceEvent;
    if (matchesPattern(pattern, event.event_type)) listener.tell(event);
  };
  diagnostics.subscribe(EVERY_EVENT_CHANNEL, listen);
  return () => {
    diagnostics.unsubscribe(EVERY_EVENT_CHANNEL, listen);
  };
}

let log: Log | undefined;

/** Where no logger is given. Made when it is needed: most processes never do. */
function standardError(): Log {
  return (log ??= pino({ level: 'warn' }, pino.destination(2)));
}
