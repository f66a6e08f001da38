import { channel, type Channel } from 'node:diagnostics_channel';
import {
  channelOf,
  EVERY_EVENT_CHANNEL,
  runAlias,
  type MillraceEvent,
} from '../../src/event/event.js';
import { matchesPattern } from '../../src/event/event-pattern.js';
import type { Subscriber, SubscriberContext } from '../../src/event/subscriber.js';
import { runSurrounded, surrounds, type SurroundingSubscriber } from './attempt-surroundings.js';
import { GuardedListener } from './guarded-listener.js';

/** Says of an event all but its type. */
export type EventMaker = () => Omit<MillraceEvent, 'event_type'>;

/** What those need of the bridge who have something to tell. */
export type EventPublisher = Pick<EventBridge, 'publish' | 'run'>;

/** How long what subscribers have begun may take when a worker stops. */
const DRAIN_MS = 5_000;

/** Most types whose audiences are remembered. Steps may publish types of their own, but templates hold no more than this. */
const MAX_REMEMBERED = 1_000;

/**
 * Publishes the events of one worker: to the project's subscribers, and to everybody in the process on `diagnostics_channel`. An event that
 * nobody listens to is not even made.
 */
export class EventBridge {
  readonly #context: SubscriberContext;
  #listeners: readonly {
    readonly patterns: readonly string[];
    readonly listener: GuardedListener;
  }[] = [];
  #surrounding: readonly SurroundingSubscriber[] = [];
  readonly #byType = new Map<string, Audience>();

  constructor(context: SubscriberContext) {
    this.#context = context;
  }

  /** Takes other subscribers; those before are told of nothing more. */
  replace(subscribers: readonly Subscriber[]): void {
    for (const { listener } of this.#listeners) listener.close();
    this.#listeners = subscribers.map(({ name, events, handle, concurrency }) => ({
      patterns: events,
      listener: new GuardedListener(
        { name, handle: (event) => handle(event, this.#context), concurrency },
        this.#context.log,
      ),
    }));
    this.#surrounding = subscribers.filter(surrounds);
    this.#byType.clear();
  }

  /** @param make - called only where somebody listens */
  publish(eventType: string, make: EventMaker): void {
    tell(this.#audienceOf(eventType), eventType, make);
  }

  /**
   * Publishes that an attempt begins, and runs its code inside of what subscribers put around it.
   *
   * @param make - called only where somebody listens
   * @returns what the code comes to, whatever subscribers do
   */
  run<T>(eventType: string, make: EventMaker, code: () => Promise<T>): Promise<T> {
    const audience = this.#audienceOf(eventType);
    const event = tell(audience, eventType, make);
    if (event === undefined || audience.surrounding.length === 0) return code();
    return runSurrounded(code, { by: audience.surrounding, event, context: this.#context });
  }

  /** Waits until subscribers are done with what they were to be told, for at most five seconds. */
  async drain(): Promise<void> {
    const pending = this.#listeners.map(({ listener }) => listener.idle());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([Promise.all(pending), late]);
    clearTimeout(timer);
  }

  #audienceOf(eventType: string): Audience {
    const known = this.#byType.get(eventType);
    if (known !== undefined) return known;
    const wanted = (patterns: readonly string[]): boolean =>
      patterns.some((pattern) => matchesPattern(pattern, eventType));
    const audience: Audience = {
      listeners: this.#listeners
        .filter(({ patterns }) => wanted(patterns))
        .map(({ listener }) => listener),
      surrounding: this.#surrounding.filter(({ events }) => wanted(events)),
      channels: channelsOf(eventType),
    };
    if (this.#byType.size >= MAX_REMEMBERED) this.#byType.clear();
    this.#byType.set(eventType, audience);
    return audience;
  }
}

/** Who may hear events of a type: it is worked out once. */
interface Audience {
  readonly listeners: readonly GuardedListener[];
  readonly surrounding: readonly SurroundingSubscriber[];
  readonly channels: readonly Channel[];
}

/** @returns the event, where somebody was told */
function tell(
  { listeners, channels }: Audience,
  eventType: string,
  make: EventMaker,
): MillraceEvent | undefined {
  if (listeners.length === 0 && !channels.some(({ hasSubscribers }) => hasSubscribers))
    return undefined;
  const event: MillraceEvent = Object.freeze({ event_type: eventType, ...make() });
  // All who listen get the same one: none of them has another one told something else.
  Object.freeze(event.payload);
  for (const listener of listeners) listener.tell(event);
  for (const heard of channels) if (heard.hasSubscribers) heard.publish(event);
  return event;
}

function channelsOf(eventType: string): readonly Channel[] {
  const alias = runAlias(eventType);
  return [EVERY_EVENT_CHANNEL, channelOf(eventType)]
    .concat(alias === undefined ? [] : channelOf(alias))
    .map((name) => channel(name));
}
