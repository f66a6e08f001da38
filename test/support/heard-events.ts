import pino from 'pino';
import { EventBridge } from '../../adapters/event/event-bridge.js';
import type { MillraceEvent } from '../../src/event/event.js';
import { defineSubscriber } from '../../src/event/subscriber.js';
import { NO_SERVICES, type Log } from '../../src/pipeline/context.js';
import type { Stack, StackDefinitions } from './stack.js';

/** An event whose payload a test looks into. */
export type HeardEvent = MillraceEvent<Readonly<Record<string, unknown>>>;

/** A bridge that keeps what it publishes. */
export function hearingBridge(log: Log = pino({ level: 'silent' })): {
  readonly events: EventBridge;
  readonly heard: readonly HeardEvent[];
} {
  const heard: HeardEvent[] = [];
  const events = new EventBridge({ log, services: NO_SERVICES });
  events.replace([
    defineSubscriber({
      name: 'test',
      events: ['**'],
      // Payloads are objects, whatever the type of the event.
      handle: (event) => heard.push(event as HeardEvent),
    }),
  ]);
  return { events, heard };
}

/** Stacks whose workers' events are kept. */
export function useHeardStacks(
  create: (definitions: StackDefinitions) => Promise<Stack>,
): (definitions: StackDefinitions) => Promise<Stack & { readonly heard: readonly HeardEvent[] }> {
  return async (definitions) => {
    const { events, heard } = hearingBridge();
    return { ...(await create({ ...definitions, events })), heard };
  };
}

/** What was heard, in short: the type, the step or the operation, and the attempt. */
export function inShort(heard: readonly HeardEvent[]): readonly string[] {
  return heard.map(({ event_type: type, payload }) => {
    const { step_name: step, operation, attempt } = payload;
    const parts = [type, step ?? operation, attempt].filter((part) => part !== undefined);
    return parts.map(String).join(' ');
  });
}

/** A line of a log. */
interface Line {
  readonly fields: object | string;
  readonly message: string | undefined;
}

/** A log that keeps its lines, of whatever level. */
export function testLog(): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = [];
  const write = (fields: object | string, message?: string): void => {
    lines.push({ fields, message });
  };
  return { log: { debug: write, info: write, warn: write, error: write }, lines };
}
