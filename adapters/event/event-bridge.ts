import { channel, type Channel } from 'node:diagnostics_channel';
import {
  channelOf,
  EVERY_EVENT_CHANNEL,
  runAlias,
  type MillraceEvent,
} from '../../src/event/event.js';
import { matchesPattern } from '../../src/event/event-pattern.js';
import type { Subscriber, SubscriberContext } from '../../src/event/subscriber.js';
import { GuardedListener } from './guarded-listener.js';

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
    this.#byType.clear();
  }

  /** @param make - called only where somebody listens */
  publish(eventType: string, make: () => Omit<MillraceEvent, 'event_type'>): void {
    const { listeners, channels } = this.#audienceOf(eventType);
    if (listeners.length === 0 && !channels.some(({ hasSubscribers }) => hasSubscribers)) return;
    const event: MillraceEvent = { event_type: eventType, ...make() };
    for (const listener of listeners) listener.tell(event);
    for (const heard of channels) if (heard.hasSubscribers) heard.publish(event);
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
    const listeners = this.#listeners
      .filter(({ patterns }) => patterns.some((pattern) => matchesPattern(pattern, eventType)))
      .map(({ listener }) => listener);
    const audience = { listeners, channels: channelsOf(eventType) };
    if (this.#byType.size >= MAX_REMEMBERED) this.#byType.clear();
    this.#byType.set(eventType, audience);
    return audience;
  }
}

/** Who may hear events of a type: it is worked out once. */
interface Audience {
  readonly listeners: readonly GuardedListener[];
  readonly channels: readonly Channel[];
}

function channelsOf(eventType: string): readonly Channel[] {
  const alias = runAlias(eventType);
  return [EVERY_EVENT_CHANNEL, channelOf(eventType)]
    .concat(alias === undefined ? [] : channelOf(alias))
    .map((name) => channel(name));
}
