import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import { nameProblem } from '../definition/name.js';
import type { Problem, Site } from '../definition/problem.js';
import type { Log, Services } from '../pipeline/context.js';
import type { MillraceEvent } from './event.js';
import { patternProblem } from './event-pattern.js';

/** What a subscriber gets with each event. */
export interface SubscriberContext {
  readonly log: Log;
  /** Those of the configuration. */
  readonly services: Services;
}

/** What {@link defineSubscriber} takes. */
export interface SubscriberDefinition {
  readonly name: string;
  readonly description?: string;
  /** Types of events, with `*` for any word and `**` for any number: `['step.execution.failed', 'payment.**']`. */
  readonly events: readonly string[];
  /**
   * What it throws is logged, and changes nothing else. Where it returns a promise, it is told of the next event when that is settled; nothing else
   * waits for it.
   */
  readonly handle: (event: MillraceEvent, context: SubscriberContext) => unknown;
  /** How many events it may have begun with and not ended, 1 to 1,000: more than 1 gives up their order. 1 unless set. */
  readonly concurrency?: number;
}

/** Code that is told of what happens in this process. Made by {@link defineSubscriber}. */
export interface Subscriber extends Branded<'subscriber'>, SubscriberDefinition {
  readonly site?: Site;
}

/**
 * Defines a subscriber. What a file of `subscribers/` exports is told of the events of the worker that loads it.
 *
 * @example
 * ```ts
 * export const logFailures = defineSubscriber({
 *   name: 'log_failures',
 *   events: ['*.execution.failed'],
 *   handle: ({ event_type, task_uuid }, { log }) => log.warn({ task_uuid }, event_type),
 * });
 * ```
 */
export function defineSubscriber(definition: SubscriberDefinition): Subscriber {
  const site = callerSite();
  return { [DEFINITION]: 'subscriber', ...definition, ...(site !== undefined && { site }) };
}

/** What is wrong with a subscriber. It may come from JavaScript, so that anything may be. */
export function subscriberProblems(subscriber: Subscriber): readonly Problem[] {
  const { name, site } = subscriber;
  const { events, handle, concurrency } = subscriber as Partial<Subscriber>;
  const wrongConcurrency = concurrencyProblem(concurrency);
  const wrongName = nameProblem(name, 'log_failures');
  const wrong = [
    ...(wrongName === undefined ? [] : [`subscriber ${wrongName}`]),
    ...(Array.isArray(events) && events.length > 0
      ? (events as readonly unknown[]).flatMap((pattern) => patternProblem(pattern) ?? [])
      : ['events must be a list of at least one pattern: events: ["*.execution.failed"].']),
    ...(typeof handle === 'function' ? [] : ['handle must be a function: (event) => { … }.']),
    ...(wrongConcurrency === undefined ? [] : [wrongConcurrency]),
  ];
  const definition = typeof name === 'string' ? name : 'subscriber';
  return wrong.map((message) => ({
    ...(site !== undefined && { site }),
    definition,
    message: message.startsWith('subscriber ') ? message : `subscriber "${definition}": ${message}`,
  }));
}

/** Most events that a subscriber may have begun with. */
const MAX_CONCURRENCY = 1_000;

/** Why something is no number of events at once, as a sentence; undefined where it is one, or not set. */
export function concurrencyProblem(concurrency: unknown): string | undefined {
  if (concurrency === undefined) return undefined;
  const possible =
    typeof concurrency === 'number' &&
    Number.isInteger(concurrency) &&
    concurrency >= 1 &&
    concurrency <= MAX_CONCURRENCY;
  return possible
    ? undefined
    : `concurrency must be a whole number from 1 to ${String(MAX_CONCURRENCY)}, not ${JSON.stringify(concurrency)}.`;
}
