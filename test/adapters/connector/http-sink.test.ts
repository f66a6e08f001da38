import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { httpSink as definition } from '../../../adapters/connector/http/http-sink.js';
import type { SinkConnector } from '../../../src/data-flow/sink.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { useHttpServer } from './http-server.js';
import { batch, opened } from './writing.js';

const httpSink: SinkConnector = definition;
const server = useHttpServer();

describe('the http sink', () => {
  const checks = sinkChecks({
    sink: httpSink,
    setUp: () => {
      const taken = new Map<unknown, unknown[]>();
      server.answer(({ headers, body }, response) => {
        // A receiver that drops what it has already.
        const key = headers['idempotency-key'];
        if (!taken.has(key)) taken.set(key, JSON.parse(body) as unknown[]);
        response.writeHead(204).end();
      });
      return { options: { url: server.origin }, content: () => [...taken.values()].flat() };
    },
    row: (number) => ({ id: number, name: 'naïve' }),
    once: true,
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());

  it('sends a batch as the option says, with its key', async () => {
    server.answer((_request, response) => response.end('{}'));
    const one = await opened(httpSink, {
      url: `${server.origin}/in`,
      method: 'PUT',
      headers: { 'x-key': 'k' },
      body: { property: 'rows' },
    });
    const { written } = await one.write(batch([{ a: 1n, at: new Date(0) }], 7));
    expect(written).toEqual({ new: 0, updated: 0, redundant: 0, unpredictable: 1 });
    expect(server.requests).toMatchObject([
      {
        method: 'PUT',
        headers: { 'idempotency-key': 'test/7', 'x-key': 'k', 'content-type': 'application/json' },
        body: '{"rows":[{"a":"1","at":"1970-01-01T00:00:00.000Z"}]}',
      },
    ]);
  });

  it('names a header that cannot be sent, without its value', async () => {
    const headers = { 'x-good': 'fine', 'x-bad': 'se\ncret' };
    const one = await opened(httpSink, { url: `${server.origin}/in?key=hidden`, headers });
    const error: unknown = await one.write(batch([{ a: 1 }])).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      type: 'HttpRequestRefused',
      message: expect.stringContaining('header "x-bad" cannot be sent'),
    });
    expect(inspect(error)).not.toMatch(/cret|hidden/);
  });

  it('sends nothing for an empty batch', async () => {
    const one = await opened(httpSink, { url: server.origin });
    await one.write(batch([]));
    expect(server.requests).toEqual([]);
  });

  it.each([
    [429, { name: 'HttpRequestFailed', retryAfterMs: 2_000 }],
    [502, { name: 'HttpRequestFailed' }],
    [302, { type: 'HttpRequestRefused' }],
    [304, { type: 'HttpRequestRefused' }],
    [400, { type: 'HttpRequestRefused', details: { status: 400, body: 'no' } }],
  ])('refuses a receipt for status %d', async (status, error) => {
    server.answer((_request, response) =>
      response
        .writeHead(status, { 'retry-after': '2', location: '/' })
        .end(status === 304 ? undefined : 'no'),
    );
    const one = await opened(httpSink, { url: server.origin });
    await expect(one.write(batch([{ a: 1 }]))).rejects.toMatchObject(error);
  });
});
