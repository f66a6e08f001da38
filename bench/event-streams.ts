import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import type { HttpClient } from './http-client.js';
import { EVENTS_PIPELINE } from './millrace/definitions.js';
import { INPUT } from './steps.js';
import type { SubjectProcess } from './subject-process.js';

/** What the clients of event streams got. */
export interface EventStreamsResult {
  readonly clients: number;
  readonly runs: number;
  /** Clients that left in the middle and came back with `Last-Event-ID`. */
  readonly reconnected: number;
  /** Events that should have arrived, all clients together. */
  readonly expected: number;
  readonly lost: number;
  readonly repeated: number;
  /** Clients that got everything once, but in another order. */
  readonly outOfOrder: number;
  /** From the first run's start until the last client had everything. */
  readonly durationMs: number;
}

const CLIENTS = 500;
const RUNS = 50;

/** Clients come within this time, so that some find a run that has just begun and others one that is half over. */
const ARRIVAL_MS = 1_000;

/** Each of so many clients leaves after some events. */
const RECONNECT_EVERY = 5;
const EVENTS_BEFORE_LEAVING = 4;

/** Starts runs, has clients read their events over SSE, and compares what each got with the run's own list. */
export async function countEvents(
  subject: SubjectProcess,
  http: HttpClient,
): Promise<EventStreamsResult> {
  const startedAt = performance.now();
  const pipeline = `${subject.url}/pipelines/${EVENTS_PIPELINE}`;
  const started = await Promise.all(
    Array.from({ length: RUNS }, async () =>
      String((await http.post(`${pipeline}/async`, INPUT))['execution_id']),
    ),
  );
  const received = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const executionId = started[index % RUNS] ?? '';
      await sleep((index / CLIENTS) * ARRIVAL_MS);
      const leaves = Math.floor(index / RUNS) % RECONNECT_EVERY === 0;
      return {
        executionId,
        ids: await readAll(http, `${pipeline}/executions/${executionId}/events`, leaves),
      };
    }),
  );
  const durationMs = performance.now() - startedAt;
  const lists = new Map<string, readonly string[]>();
  for (const executionId of started)
    lists.set(executionId, await subject.call('eventIds', { executionId }));
  const checked = received.map(({ executionId, ids }) =>
    compare(lists.get(executionId) ?? [], ids),
  );
  const total = (of: keyof ReturnType<typeof compare>): number =>
    checked.reduce((sum, check) => sum + check[of], 0);
  return {
    clients: CLIENTS,
    runs: RUNS,
    reconnected: CLIENTS / RECONNECT_EVERY,
    expected: total('expected'),
    lost: total('lost'),
    repeated: total('repeated'),
    outOfOrder: total('outOfOrder'),
    durationMs,
  };
}

async function readAll(http: HttpClient, url: string, leaves: boolean): Promise<readonly string[]> {
  const first = await read(http, url, { most: leaves ? EVENTS_BEFORE_LEAVING : Infinity });
  if (!leaves) return first;
  return [...first, ...(await read(http, url, { most: Infinity, after: first.at(-1) }))];
}

/** Ids of events in the order of their arrival. Live hints have none. */
async function read(
  http: HttpClient,
  url: string,
  { most, after }: { readonly most: number; readonly after?: string | undefined },
): Promise<readonly string[]> {
  const ids: string[] = [];
  const parser = createParser({
    onEvent: ({ id }) => {
      if (id !== undefined && ids.length < most) ids.push(id);
    },
  });
  const response = await http.stream(url, after === undefined ? {} : { 'Last-Event-ID': after });
  response.setEncoding('utf8');
  for await (const chunk of response) {
    // Text, since the encoding is set.
    parser.feed(chunk as string);
    // Leaving the loop destroys the response, and with it the connection.
    if (ids.length >= most) break;
  }
  return ids;
}

function compare(
  expected: readonly string[],
  got: readonly string[],
): {
  readonly expected: number;
  readonly lost: number;
  readonly repeated: number;
  readonly outOfOrder: number;
} {
  const once = new Set(got);
  const lost = expected.filter((id) => !once.has(id)).length;
  const repeated = got.length - once.size;
  const inOrder = expected.join() === got.join();
  return {
    expected: expected.length,
    lost,
    repeated,
    outOfOrder: lost === 0 && repeated === 0 && !inOrder ? 1 : 0,
  };
}
