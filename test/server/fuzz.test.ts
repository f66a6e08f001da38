import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HttpServer } from '../../server/http-listener.js';
import { raw, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

/** What answers may not hold: frames of a stack trace, or pages. */
const LEAKS = /\n?\s+at .+\(.+:\d+:\d+\)|node_modules|<html|<!doctype/i;

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'application/x-www-form-urlencoded',
  'application/vnd.api+json',
  'multipart/form-data; boundary=x',
  'text/plain',
  ';;;',
];

const json = fc.oneof(
  fc.json(),
  fc.object({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
  fc
    .record({ text: fc.oneof(fc.string(), fc.jsonValue()), __proto__: fc.constant(null) })
    .map((value) => JSON.stringify(value)),
  fc.constantFrom(
    '{"text":"a","constructor":{"prototype":{"x":1}}}',
    '{"__proto__":1}',
    '{"text":1e999}',
    '{"text":"\\ud800"}',
    '{"text":"a","toString":1,"valueOf":2,"hasOwnProperty":3}',
  ),
);

const body = fc.oneof(
  json,
  fc.string({ unit: 'binary' }),
  fc.webQueryParameters(),
  fc.constantFrom(
    'text=a&text[b]=c',
    'text[__proto__][x]=1',
    'a[b][c][d][e][f][g]=1',
    'text=%',
    '%00=%ff',
    'a=1&'.repeat(2_000),
  ),
);

/** A value that HTTP allows in a header, so that it reaches the API and not only the parser. */
const headerValue = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
});

const headers = fc.dictionary(
  fc.constantFrom(
    'Prefer',
    'Idempotency-Key',
    'Webhook-URL',
    'Last-Event-ID',
    'X-Request-Id',
    'Accept',
    'Content-Encoding',
    'Expect-CT',
    'X-HTTP-Method-Override',
  ),
  fc.oneof(
    headerValue,
    fc.constantFrom('gzip', 'wait=0', 'wait=-1', 'http://127.0.0.1:9/', 'a.1.2'),
  ),
  { maxKeys: 4 },
);

const query = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters(),
  fc.constantFrom(
    'webhook_url=x',
    'on_disconnect=x',
    'webhook_url=http://127.0.0.1:9/&webhook_url=b',
    'status=x',
    'limit=-1',
    '__proto__=1',
    'page_token=AAAA',
  ),
);

const path = fc.oneof(
  fc.constantFrom(
    '',
    '/async',
    '/stream',
    '/executions',
    '/executions/x',
    '/executions/x/events',
    '/executions/x/cancel',
  ),
  fc.webPath(),
);

interface Received {
  readonly status: number;
  readonly head: string;
  readonly text: string;
}

describe('whatever is sent', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let server: HttpServer;

  beforeEach(async () => {
    server = await serve(stack.current.engine, { server: { bodyLimit: 20_000 } });
  });

  const receive = async (request: string): Promise<Received> => {
    const received = await raw(server, request);
    const [head = '', ...rest] = received.split('\r\n\r\n');
    return {
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
      head,
      text: rest.join('\r\n\r\n'),
    };
  };

  const expectSane = ({ status, head, text }: Received): void => {
    expect(status).toBeGreaterThanOrEqual(200);
    expect({ status, text: status >= 500 ? text : '' }).toEqual({ status, text: '' });
    expect(text).not.toMatch(LEAKS);
    if (status === 204 || /content-type: text\/event-stream/i.test(head)) return;
    expect(head).toMatch(/content-type: application\/json/i);
    const answer = JSON.parse(text) as Record<string, unknown>;
    if (status < 400) return;
    expect(answer).toMatchObject({
      success: false,
      error: expect.any(String),
      type: expect.any(String),
      request_id: expect.any(String),
    });
    expect(head).toMatch(/x-request-id: /i);
  };

  const request = (
    method: string,
    target: string,
    fields: Record<string, string>,
    content: string,
  ): string => {
    const bytes = Buffer.byteLength(content);
    const lines = Object.entries({
      Host: 'x',
      Connection: 'close',
      'Content-Length': String(bytes),
      ...fields,
    });
    return `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${content}`;
  };

  it('as a body, the answer is JSON and none of the server failing', async () => {
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.option(fc.constantFrom(...CONTENT_TYPES)),
        fc.constantFrom('report', 'tree', 'keeper'),
        async (content, type, name) => {
          const fields: Record<string, string> = type === null ? {} : { 'Content-Type': type };
          expectSane(await receive(request('POST', `/pipelines/${name}`, fields, content)));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('as headers and parameters, the answer is JSON and none of the server failing', async () => {
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(method, path, query, headers, async (verb, rest, parameters, fields) => {
        const received = await receive(
          request(
            verb,
            `/pipelines/report${rest}?${parameters}`,
            { 'Content-Type': 'application/json', ...fields },
            '{"text":"a"}',
          ),
        );
        if (verb !== 'HEAD') expectSane(received);
        else expect(received.status).toBeLessThan(500);
      }),
      { numRuns: 200 },
    );
  });

  it('as bytes, the server answers or closes the connection, and goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (bytes) => {
        const received = await raw(server, `${bytes}\r\n\r\n\r\n`);
        expect(received === '' || /^HTTP\/1\.1 4\d\d /.test(received)).toBe(true);
      }),
      { numRuns: 50 },
    );
    expectSane(
      await receive(
        request(
          'POST',
          '/pipelines/report',
          { 'Content-Type': 'application/json' },
          '{"text":"a"}',
        ),
      ),
    );
  });
});
