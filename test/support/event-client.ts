import { createParser } from 'eventsource-parser';

/** A server-sent event, as a client reads it. */
export interface ReceivedEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** An event stream that is being read. */
export interface EventClient {
  readonly response: Response;
  readonly events: readonly ReceivedEvent[];
  readonly comments: readonly string[];
  readonly retries: readonly number[];
  /** Resolves when the stream has ended, in whichever way. */
  readonly ended: Promise<void>;
  /** Resolves when an event is there for which this is true. */
  until(matches: (event: ReceivedEvent) => boolean): Promise<ReceivedEvent>;
  leave(): Promise<void>;
}

/** Opens an event stream and reads it with a parser that is not ours. */
export async function openEvents(url: string, init: RequestInit = {}): Promise<EventClient> {
  const leaving = new AbortController();
  const response = await fetch(url, { ...init, signal: leaving.signal });
  const events: ReceivedEvent[] = [];
  const comments: string[] = [];
  const retries: number[] = [];
  let wake: () => void = () => undefined;
  let over = false;
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      // Every event's data is a JSON object.
      events.push({
        id,
        event: event ?? 'message',
        data: JSON.parse(data) as Record<string, unknown>,
      });
    },
    onComment: (comment) => comments.push(comment),
    onRetry: (retry) => retries.push(retry),
  });
  const ended = (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        // The body of a response yields bytes.
        parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
        wake();
      }
    } catch (error) {
      if (!leaving.signal.aborted) comments.push(`broken: ${String(error)}`);
    } finally {
      over = true;
      wake();
    }
  })();
  return {
    response,
    events,
    comments,
    retries,
    ended,
    until: async (matches) => {
      for (;;) {
        const found = events.find(matches);
        if (found !== undefined) return found;
        if (over)
          throw new Error(
            `the stream ended; it told ${events.map(({ event }) => event).join(', ')}`,
          );
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    leave: async () => {
      leaving.abort();
      await ended;
    },
  };
}
