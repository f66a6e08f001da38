import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import { nameProblem } from '../definition/name.js';
import type { Problem, Site } from '../definition/problem.js';
import type { Log, Services } from '../pipeline/context.js';
import type { MillraceEvent } from './event.js';
import { matchesPattern, patternProblem } from './event-pattern.js';

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
  /**
   * Called after `handle` with the events `step.execution.started` and `operation.execution.started` among those above, to run the code of the
   * attempt: `run` begins it, and returns while it goes on. So the code finds what was current where `run` was called, such as the store of an
   * `AsyncLocalStorage` or an active span. The code runs once and in any case: whatever this throws is logged, and changes nothing else. Nothing
   * waits for a `handle` that is told of one event after the other: of this one it may be told later.
   */
  readonly around?: (event: MillraceEvent, run: () => void, context: SubscriberContext) => unknown;
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
  const { events, handle, concurrency, around } = subscriber as Partial<Subscriber>;
  const wrongConcurrency = concurrencyProblem(concurrency);
  const wrongName = nameProblem(name, 'log_failures');
  const wrong = [
    ...(wrongName === undefined ? [] : [`subscriber ${wrongName}`]),
    ...(Array.isArray(events) && events.length > 0
      ? (events as readonly unknown[]).flatMap((pattern) => patternProblem(pattern) ?? [])
      : ['events must be a list of at least one pattern: events: ["*.execution.failed"].']),
    ...(typeof handle === 'function' ? [] : ['handle must be a function: (event) => { … }.']),
    ...(wrongConcurrency === undefined ? [] : [wrongConcurrency]),
    ...aroundProblems(around, events),
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

/** The events of attempts whose code can have something around it. */
const BEGINNINGS = ['step.execution.started', 'operation.execution.started'];

function aroundProblems(around: unknown, events: unknown): readonly string[] {
  if (around === undefined) return [];
  if (typeof around !== 'function')
    return ['around must be a function: (event, run) => { …; run(); }.'];
  const patterns: readonly unknown[] = Array.isArray(events) ? events : [];
  // What is wrong with patterns themselves is told already.
  const called =
    patterns.length === 0 ||
    patterns.some(
      (pattern) =>
        patternProblem(pattern) !== undefined ||
        BEGINNINGS.some((type) => matchesPattern(String(pattern), type)),
    );
  return called
    ? []
    : [
        `around is never called: none of its events is ${BEGINNINGS.map((type) => `"${type}"`).join(' or ')}.`,
      ];
}
