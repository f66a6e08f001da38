import { beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Koa from 'koa';
import pino from 'pino';
import { z } from 'zod';
import type { HttpServer } from '../../server/http-listener.js';
import { accessLog } from '../../server/middleware/access-log.js';
import { errors } from '../../server/middleware/errors.js';
import { requestId } from '../../server/middleware/request-id.js';
import { EventStreams } from '../../server/sse.js';
import { defineWorkflow } from '../../src/definition/workflow.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import { openEvents, type EventClient } from '../support/event-client.js';
import { post, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

const RELAY_FILE = join(import.meta.dirname, 'relay-workflow.ts');

const REPORT_EVENTS = [
  'pipe_started',
  'stage_started',
  'operation_started',
  'operation_completed',
  'stage_completed',
  'stage_started',
  'operation_started',
  'operation_completed',
  'stage_completed',
  'complete',
];

/** Waits for something that comes about for a moment only, so it looks often. */
async function reached(condition: () => boolean, ms = 10_000): Promise<void> {
  for (const deadline = Date.now() + ms; !condition();) {
    await delay(10);
    if (Date.now() > deadline)
      throw new Error(`not reached in ${String(ms)} ms: ${String(condition)}`);
  }
}

describe('an event stream', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let server: HttpServer;
  let url: string;

  beforeEach(async () => {
    server = await serve(stack.current.engine);
    url = `${server.url}/pipelines`;
  });

  const stream = (target: string, input: unknown): Promise<EventClient> =>
    openEvents(target, {
      method: 'POST',
      body: JSON.stringify(input),
      headers: { 'content-type': 'application/json' },
    });

  it('tells a run from its start to its result, with the headers that keep proxies from holding it back', async () => {
    const client = await stream(`${url}/report/stream`, { text: 'a b' });
    await client.ended;
    const { headers, status } = client.response;
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(client.comments[0]).toBe(`execution ${String(headers.get('x-execution-id'))}`);
    expect(client.events.map(({ event }) => event)).toEqual(REPORT_EVENTS);
    expect(client.events[0]!.data).toEqual({ pipe: 'report', input_keys: ['text'] });
    expect(client.events[1]!.data).toEqual({ stage: 'count', namespace_count: 1 });
    expect(client.events.at(-1)!.data).toEqual({ result: { text: 'A B', words: 2 } });
    expect(client.events.every(({ id }) => id !== undefined)).toBe(true);
  });

  it('tells how a run failed', async () => {
    const client = await stream(`${url}/doomed/stream`, {});
    await client.ended;
    expect(client.events.map(({ event }) => event).slice(-4)).toEqual([
      'operation_failed',
      'stage_failed',
      'pipe_failed',
      'error',
    ]);
    expect(client.events.at(-1)!.data).toEqual({
      type: 'execution_error',
      message: 'no such customer',
      code: 'PermanentError',
      stage: 'only',
      operation: 'refuse',
    });
  });

  it('writes each event as one chunk', async () => {
    const body = JSON.stringify({ text: 'a b' });
    const socket = connect(server.port, server.host);
    socket.write(
      `POST /pipelines/report/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${String(body.length)}\r\n\r\n${body}`,
    );
    let received = '';
    for await (const data of socket) received += String(data);
    const chunked = received.slice(received.indexOf('\r\n\r\n') + 4);
    const chunks = [...chunked.matchAll(/([0-9a-f]+)\r\n([^\r]*)\r\n/g)];
    for (const [, size, text = ''] of chunks)
      expect(Buffer.byteLength(text)).toBe(parseInt(String(size), 16));
    const texts = chunks.map(([, , text = '']) => text).filter((text) => text !== '');
    expect(texts[0]).toMatch(/^: execution \w+\n\n$/);
    expect(texts.slice(1)).toHaveLength(REPORT_EVENTS.length);
    for (const [index, text] of texts.slice(1).entries()) {
      expect(text).toMatch(/^id: [\w-]+\.\d+\.\d+\nevent: \w+\ndata: \{.*\}\n\n$/);
      expect(text).toContain(`event: ${String(REPORT_EVENTS[index])}\n`);
    }
  });

  it('is not opened for a wrong input, which is a 422', async () => {
    const { status, body } = await post(`${url}/report/stream`, { text: 7 });
    expect([status, body['type']]).toEqual([422, 'contract_violation']);
  });

  it('tells live hints without ids: how far a body is', async () => {
    const client = await stream(`${url}/slow/stream`, { ms: 3_000 });
    const hint = await client.until(({ event }) => event === 'operation_progress');
    expect(hint.id).toBeFalsy();
    expect(hint.data).toMatchObject({ operation: 'wait', total: 3_000 });
    await client.ended;
  });

  it('replays a run that is over, and ends', async () => {
    const { body } = await post(`${url}/report`, { text: 'a' });
    const client = await openEvents(
      `${url}/report/executions/${String(body['execution_id'])}/events`,
    );
    await client.ended;
    expect(client.events.map(({ event }) => event)).toEqual(REPORT_EVENTS);
  });

  it('goes on after Last-Event-ID on another server, losing and repeating nothing', async () => {
    const first = await stream(`${url}/slow/stream`, { ms: 1_500 });
    const last = await first.until(({ event }) => event === 'stage_started');
    const id = String(first.response.headers.get('x-execution-id'));
    await first.leave();
    const elsewhere = await serve(stack.current.engine);
    const second = await openEvents(`${elsewhere.url}/pipelines/slow/executions/${id}/events`, {
      headers: { 'last-event-id': String(last.id) },
    });
    await second.ended;
    const story = [...first.events, ...second.events].filter(
      ({ event }) => event !== 'operation_progress',
    );
    const whole = await openEvents(`${url}/slow/executions/${id}/events`);
    await whole.ended;
    const upToLast = first.events.slice(first.events.indexOf(last) + 1).map(({ id: more }) => more);
    expect(
      story.filter(({ id: known }) => !upToLast.includes(known)).map(({ id: known }) => known),
    ).toEqual(
      whole.events
        .filter(({ id: known }) => !upToLast.includes(known))
        .map(({ id: known }) => known),
    );
    expect(second.events.at(-1)!.event).toBe('complete');
  });

  it('takes last_event_id as a parameter, and answers 204 when there is nothing after it', async () => {
    const { body } = await post(`${url}/report`, { text: 'a' });
    const events = `${url}/report/executions/${String(body['execution_id'])}/events`;
    const all = await openEvents(events);
    await all.ended;
    const some = await openEvents(`${events}?last_event_id=${String(all.events[7]!.id)}`);
    await some.ended;
    expect(some.events.map(({ id }) => id)).toEqual(all.events.slice(8).map(({ id }) => id));
    const none = await fetch(events, {
      headers: { 'last-event-id': String(all.events.at(-1)!.id) },
    });
    expect(none.status).toBe(204);
    expect((await send(events, { headers: { 'last-event-id': 'nonsense' } })).status).toBe(400);
  });

  it('answers 404 for a run that is not there', async () => {
    expect((await send(`${url}/report/executions/nope/events`)).body).toMatchObject({
      error: 'Execution not found',
    });
  });

  it('is refused with 503 when there are too many, before a run is started', async () => {
    const small = await serve(stack.current.engine, { server: { sseClients: 1 } });
    const target = `${small.url}/pipelines/slow/stream`;
    const first = await stream(target, { ms: 20_000 });
    const { status, body, headers } = await post(target, { ms: 20_000 });
    expect([status, body['type'], headers.get('retry-after')]).toEqual([
      503,
      'too_many_streams',
      '5',
    ]);
    expect(headers.get('x-execution-id')).toBeNull();
    await send(
      `${url}/slow/executions/${String(first.response.headers.get('x-execution-id'))}/cancel`,
      { method: 'POST' },
    );
    await first.ended;
    const next = await stream(`${small.url}/pipelines/report/stream`, { text: 'a' });
    await next.ended;
    expect(next.events.at(-1)!.event).toBe('complete');
  });

  it('keeps a quiet connection open with comments', async () => {
    const lively = await serve(stack.current.engine, { server: { keepAlive: 100 } });
    const client = await stream(`${lively.url}/pipelines/slow/stream`, { ms: 900 });
    await client.ended;
    expect(client.comments.filter((comment) => comment === 'keep-alive').length).toBeGreaterThan(2);
  });

  it('ends with a hint when to come back when the server stops', async () => {
    const stopping = await serve(stack.current.engine);
    const client = await stream(`${stopping.url}/pipelines/slow/stream`, { ms: 1_000 });
    await client.until(({ event }) => event === 'operation_started');
    const before = performance.now();
    await stopping.stop();
    expect(performance.now() - before).toBeLessThan(1_000);
    await client.ended;
    expect(client.retries).toEqual([1_000]);
    expect(client.comments.at(-1)).toBe('server stops, reconnect with Last-Event-ID');
    expect(client.events.map(({ event }) => event)).not.toContain('error');
  });
});

describe('the events of a run that continues as new', () => {
  const relay = defineWorkflow({
    name: 'relay',
    input: z.object({ laps: z.number() }),
    output: z.object({ done: z.boolean() }),
  });
  const stack = useSharedStack(temporal, () => ({
    workflows: [relay],
    workflowFiles: [RELAY_FILE],
  }));
  const serve = useServers();

  it('are one story, on whichever server it is asked for and after whichever event', async () => {
    const { engine } = stack.current;
    const { url } = await serve(engine);
    const { body } = await post(`${url}/pipelines/relay`, { laps: 2 });
    expect(body['result']).toEqual({ done: true });
    const events = `${url}/pipelines/relay/executions/${String(body['execution_id'])}/events`;
    const all = await openEvents(events);
    await all.ended;
    expect(all.events.map(({ event }) => event)).toEqual(['pipe_started', 'complete']);
    const [first, last] = all.events.map(({ id }) => String(id));
    expect(first!.split('.')[0]).not.toBe(last!.split('.')[0]);
    const rest = await openEvents(events, { headers: { 'last-event-id': first! } });
    await rest.ended;
    expect(rest.events.map(({ id }) => id)).toEqual([last]);
    expect((await fetch(events, { headers: { 'last-event-id': last! } })).status).toBe(204);
    const stranger = await openEvents(events, { headers: { 'last-event-id': 'another-run.5.0' } });
    await stranger.ended;
    expect(stranger.events).toEqual(all.events);
  });
});

describe('a client that does not read', () => {
  async function* endless(signal: AbortSignal): AsyncGenerator<RunEvent> {
    for (let index = 0; !signal.aborted; index += 1) {
      yield {
        id: `r.1.${String(index)}`,
        type: 'stage_started',
        time: 0,
        data: { fill: 'x'.repeat(10_000) },
      };
    }
    await delay(0);
  }

  it('is disconnected, and nothing piles up for it meanwhile', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino(
      {},
      { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    );
    const streams = new EventStreams(
      { clients: 10, keepAliveMs: 10_000, stallMs: 200 },
      new AbortController().signal,
    );
    let taken = 0;
    const app = new Koa();
    for (const around of [requestId(log), accessLog, errors]) app.use(around);
    app.use((ctx) => {
      streams.reserve().open(ctx, 'execution-1', async function* (signal) {
        for await (const event of endless(signal)) {
          taken += 1;
          yield event;
        }
      });
    });
    const server = createServer(
      (request, response) => void app.callback()(request, response),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.pause();
    await reached(() => streams.size > 0);
    await reached(() => streams.size === 0);
    expect(lines.find(({ msg }) => msg === 'event stream ended early')).toMatchObject({
      reason: 'client too slow',
    });
    // What the kernel takes for a connection on loopback is a few megabytes.
    expect(taken).toBeLessThan(2_000);
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('is told of one run at a time, however many it asks for on its connection, and then disconnected from all', async () => {
    const streams = new EventStreams(
      { clients: 50, keepAliveMs: 10_000, stallMs: 200 },
      new AbortController().signal,
    );
    let begun = 0;
    const app = new Koa();
    for (const around of [requestId(pino({ level: 'silent' })), errors]) app.use(around);
    app.use((ctx) => {
      streams.reserve().open(ctx, 'execution-1', (signal) => {
        begun += 1;
        return endless(signal);
      });
    });
    const server = createServer(
      (request, response) => void app.callback()(request, response),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [[accepted]] = (await Promise.all([
      once(server, 'connection'),
      once(socket, 'connect'),
    ])) as [[Socket], unknown];
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(30));
    const closed = once(accepted, 'close');
    await reached(() => streams.size === 30);
    await closed;
    await reached(() => streams.size === 0);
    expect(begun).toBe(1);
    socket.destroy();
    server.close();
    await once(server, 'close');
  });
});
