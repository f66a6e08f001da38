import { describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { httpSource } from '../../../adapters/connector/http/http-source.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { useHttpServer, type Arrived } from './http-server.js';
import { batchesOf, errorOf, lastCursor, rowsOf } from './reading.js';

const server = useHttpServer();
const other = useHttpServer();

const ROWS = Array.from({ length: 230 }, (_, id) => ({ id, name: `naïve ${id}` }));
const SIZE = 30;

function json(response: ServerResponse, body: unknown, headers: Record<string, string> = {}): void {
  response
    .writeHead(200, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body));
}

function pageOf(number: number): readonly object[] {
  return ROWS.slice(number * SIZE, (number + 1) * SIZE);
}

/** An API with all kinds of pagination, whose first page has an ETag. */
function api({ url, headers }: Arrived, response: ServerResponse): void {
  const number = Number(url.searchParams.get('page') ?? url.searchParams.get('after') ?? 0);
  if (number === 0 && headers['if-none-match'] === '"v1"') {
    response.writeHead(304).end();
    return;
  }
  const isLast = (number + 1) * SIZE >= ROWS.length;
  const link = `</?page=x,y>; title="a, b"; rel="prev", </?page=${number + 1}>; rel="next last"`;
  const more = { ...(number === 0 && { etag: '"v1"' }), ...(!isLast && { link }) };
  const meta = { next: isLast ? null : number + 1 };
  json(response, { total: ROWS.length, data: { items: pageOf(number) }, meta }, more);
}

function options(more: object = {}) {
  return { url: `${server.origin}/rows?fixed=1`, rows: 'data.items', ...more };
}

function failure(more: object = {}) {
  return errorOf(httpSource, options({ rows: undefined, ...more }));
}

describe.each([
  ['page numbers', { type: 'page', start: 0 }],
  ['page numbers with a size', { type: 'page', start: 0, size: SIZE, sizeParameter: 'limit' }],
  ['cursors', { type: 'cursor', parameter: 'after', next: 'meta.next' }],
  ['links', { type: 'link' }],
])('the http source with %s', (_name, pagination) => {
  const checks = sourceChecks({
    source: httpSource,
    setUp: () => {
      server.answer(api);
      return { options: options({ pagination }), rows: ROWS };
    },
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());
});

describe.each([
  ['without an ETag', {}],
  ['that answers with 200 to its own ETag', { etag: '"v1"' }],
])('an API of one page %s', (_name, headers) => {
  const checks = sourceChecks({
    source: httpSource,
    setUp: () => {
      let rows = ROWS.slice(0, 100);
      server.answer((_request, response) => json(response, rows, headers));
      const change = () => (rows = ROWS.slice(0, 101));
      return { options: { url: server.origin }, rows, again: 'all' as const, change };
    },
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());
});

describe('what is asked', () => {
  it('has the query of the URL, the parameters and the headers', async () => {
    server.answer(api);
    const pagination = {
      type: 'page',
      parameter: 'page',
      start: 7,
      size: SIZE,
      sizeParameter: 'limit',
    };
    await rowsOf(httpSource, options({ pagination, headers: { authorization: 'Bearer x' } }));
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.url.search).toBe('?fixed=1&page=7&limit=30');
    expect(server.requests[0]!.headers).toMatchObject({
      authorization: 'Bearer x',
      accept: 'application/json',
    });
  });

  it('goes on at the page where a run was interrupted', async () => {
    server.answer(api);
    const paged = options({ pagination: { type: 'page', start: 0 } });
    const batches = await batchesOf(httpSource, paged, { batchSize: 20 });
    const before = server.requests.length;
    const rest = await rowsOf(httpSource, paged, { cursor: batches[2]!.cursor });
    expect(rest).toEqual(ROWS.slice(50));
    expect(server.requests[before]!.url.searchParams.get('page')).toBe('1');
    expect(server.requests[before]!.headers).not.toHaveProperty('if-none-match');
  });

  it('begins anew after a run that has read all, and is told when nothing is new', async () => {
    server.answer(api);
    const paged = options({ pagination: { type: 'link' } });
    const cursor = await lastCursor(httpSource, paged);
    const before = server.requests.length;
    expect(await rowsOf(httpSource, paged, { cursor })).toEqual([]);
    expect(server.requests).toHaveLength(before + 1);
    const unconditional = { ...paged, conditional: false };
    expect(await rowsOf(httpSource, unconditional, { cursor })).toEqual(ROWS);
  });

  it('has the headers at other origins only where that is allowed', async () => {
    other.answer((_request, response) => json(response, [{ id: 2 }]));
    server.answer((_request, response) =>
      json(response, [{ id: 1 }], { link: `<${other.origin}/more>; rel=next` }),
    );
    const linked = options({
      rows: undefined,
      pagination: { type: 'link' },
      headers: { 'x-key': 'secret' },
    });
    const { rows: _rows, ...given } = linked;
    expect(await rowsOf(httpSource, given as never)).toEqual([{ id: 1 }, { id: 2 }]);
    expect(other.requests[0]!.headers).not.toHaveProperty('x-key');
    await rowsOf(httpSource, { ...given, allowedOrigins: [other.origin] });
    expect(other.requests[1]!.headers).toHaveProperty('x-key', 'secret');
  });

  it('follows redirects, without the headers to other origins', async () => {
    other.answer((_request, response) => json(response, [{ id: 1 }]));
    server.answer((_request, response) =>
      response.writeHead(302, { location: other.origin }).end(),
    );
    const given = { url: server.origin, headers: { 'x-key': 'secret' } };
    expect(await rowsOf(httpSource, given)).toEqual([{ id: 1 }]);
    expect(other.requests[0]!.headers).not.toHaveProperty('x-key');
    server.answer((_request, response) => response.writeHead(302, { location: '/again' }).end());
    expect(await errorOf(httpSource, given)).toMatchObject({ type: 'HttpRequestRefused' });
  });
});

describe('rows', () => {
  it.each([
    ['the body', [{ a: 1 }]],
    ['its only array', { total: 1, things: [{ a: 1 }] }],
  ])('are %s', async (_name, body) => {
    server.answer((_request, response) => json(response, body));
    expect(await rowsOf(httpSource, { url: server.origin })).toEqual([{ a: 1 }]);
  });

  it('may be none at all', async () => {
    server.answer((_request, response) => response.writeHead(204).end());
    expect(await rowsOf(httpSource, { url: server.origin })).toEqual([]);
  });

  it.each([
    ['two arrays', { a: [], b: [] }, 'InvalidResponse'],
    ['no array', { a: 1 }, 'InvalidResponse'],
    ['no objects', [1], 'InvalidRow'],
  ])('cannot be found in a body with %s', async (_name, body, type) => {
    server.answer((_request, response) => json(response, body));
    expect(await errorOf(httpSource, { url: server.origin })).toMatchObject({ type });
  });

  it('cannot be found in what is not JSON', async () => {
    server.answer((_request, response) => response.end('<html>'));
    expect(await errorOf(httpSource, { url: server.origin })).toMatchObject({
      type: 'InvalidResponse',
      message: expect.stringContaining('It is not JSON: <html>'),
    });
  });
});

describe('pages without an end', () => {
  it.each([
    ['the same cursor again', { type: 'cursor', parameter: 'after', next: 'next' }],
    ['the same link again', { type: 'link' }],
    ['the same page whatever the number', { type: 'page' }],
  ])('are an error: %s', async (_name, pagination) => {
    server.answer((_request, response) =>
      json(
        response,
        { rows: [{ a: 1 }], next: 'same' },
        { link: `<${server.origin}/same>; rel="next"` },
      ),
    );
    expect(await failure({ rows: 'rows', pagination })).toMatchObject({
      type: 'EndlessPagination',
    });
    expect(server.requests.length).toBeLessThan(4);
  });

  it('are an error in a circle, and when there are too many', async () => {
    let count = 0;
    server.answer((_request, response) => {
      count += 1;
      json(response, { rows: [{ count }], next: count % 3 });
    });
    const pagination = { type: 'cursor', parameter: 'after', next: 'next' };
    expect(await failure({ rows: 'rows', pagination })).toMatchObject({
      type: 'EndlessPagination',
    });
    server.answer((_request, response) =>
      json(response, { rows: [{ count: (count += 1) }], next: count }),
    );
    expect(await failure({ rows: 'rows', pagination, maxPages: 5 })).toMatchObject({
      type: 'PageLimitExceeded',
      message: expect.stringContaining('maxPages (5)'),
    });
  });
});

describe('errors', () => {
  it.each([408, 429, 500, 503])('of status %d may be retried', async (status) => {
    server.answer((_request, response) =>
      response.writeHead(status, { 'retry-after': '7' }).end('busy'),
    );
    const error = await errorOf(httpSource, { url: `${server.origin}/x?key=secret` });
    expect(error).toMatchObject({ name: 'HttpRequestFailed', status, retryAfterMs: 7_000 });
    expect(String(error)).toContain(`${server.origin}/x was answered with ${status}: busy`);
    expect(String(error)).not.toContain('secret');
  });

  it('take a date to retry after, of at most ten minutes', async () => {
    const date = new Date(Date.now() + 60_000).toUTCString();
    server.answer((_request, response) => response.writeHead(503, { 'retry-after': date }).end());
    const error = (await errorOf(httpSource, { url: server.origin })) as { retryAfterMs: number };
    expect(error.retryAfterMs).toBeGreaterThan(50_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
    server.answer((_request, response) =>
      response.writeHead(503, { 'retry-after': '86400' }).end(),
    );
    expect(await errorOf(httpSource, { url: server.origin })).toMatchObject({
      retryAfterMs: 600_000,
    });
  });

  it.each([400, 401, 404, 422])('of status %d are permanent', async (status) => {
    server.answer((_request, response) => response.writeHead(status).end('x'.repeat(2_000)));
    expect(await errorOf(httpSource, { url: server.origin })).toMatchObject({
      type: 'HttpRequestRefused',
      details: { status, body: 'x'.repeat(500) },
    });
  });

  it('do not repeat a password in a URL', async () => {
    const error = await errorOf(httpSource, { url: 'http://me:hidden@127.0.0.1:1/x' });
    expect(error).toMatchObject({ type: 'HttpRequestRefused' });
    expect(String(error)).not.toContain('hidden');
  });

  it('name a header that cannot be sent, without its value', async () => {
    const given = { url: `${server.origin}/x?key=hidden`, headers: { 'x-key': 'hid\0den' } };
    const error = await errorOf(httpSource, given);
    expect(error).toMatchObject({
      type: 'HttpRequestRefused',
      message: expect.stringContaining('header "x-key" cannot be sent'),
    });
    expect(inspect(error)).not.toMatch(/hid|den/);
  });

  it.each([
    ['redirect', { status: 302, headers: { location: 'http://[?key=hidden' } }],
    ['next link', { status: 200, headers: { link: '<http://[?key=hidden>; rel=next' } }],
    ['link to a page that was read', { status: 200, headers: { link: '<?key=hidden>; rel=next' } }],
  ])('do not repeat the query of a %s', async (_name, { status, headers }) => {
    server.answer((_request, response) =>
      response.writeHead(status, headers).end(JSON.stringify([{ a: server.requests.length }])),
    );
    const given = { url: server.origin, pagination: { type: 'link' } };
    const error = await errorOf(httpSource, given);
    expect(error).toMatchObject({ type: expect.any(String) });
    expect(inspect(error)).not.toContain('hidden');
  });

  it('of the network, and answers that take too long, may be retried', async () => {
    server.answer(() => undefined);
    expect(await errorOf(httpSource, { url: server.origin, timeoutMs: 100 })).toMatchObject({
      name: 'HttpRequestFailed',
      message: expect.stringContaining('no answer within timeoutMs (100 ms)'),
    });
    expect(await errorOf(httpSource, { url: 'http://127.0.0.1:1' })).toMatchObject({
      name: 'HttpRequestFailed',
    });
  });

  it('are permanent for an answer that is too large', async () => {
    server.answer((_request, response) => json(response, [{ a: 'x'.repeat(5_000) }]));
    expect(
      await errorOf(httpSource, { url: server.origin, maxResponseBytes: 1_000 }),
    ).toMatchObject({
      type: 'ResponseTooLarge',
      message: expect.stringContaining('maxResponseBytes (1000 bytes)'),
    });
  });

  it('are those of the run when it is aborted while waiting', async () => {
    server.answer(() => undefined);
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort(new Error('stopped'));
    }, 100);
    const error = await errorOf(httpSource, { url: server.origin }, { signal: controller.signal });
    expect(String(error)).toContain('stopped');
  });
});
