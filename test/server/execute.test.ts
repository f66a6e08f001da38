import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import type { HttpServer } from '../../server/http-listener.js';
import { VERSION } from '../../src/version.js';
import { post, raw, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

describe('the HTTP API', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();
  let server: HttpServer;
  let url: string;

  beforeEach(async () => {
    server = await serve(stack.current.engine, { server: { bodyLimit: 4_096 } });
    url = `${server.url}/pipelines`;
  });

  afterEach(async () => {
    await server.stop(500);
  });

  describe('what it shows', () => {
    it('tells that it is healthy, and its version', async () => {
      expect((await send(`${server.url}/health`)).body).toEqual({
        status: 'ok',
        loaded: true,
        version: VERSION,
      });
    });

    it('lists the pipelines with their contracts as JSON Schema', async () => {
      const { body } = await send(url);
      const listed = body['pipelines'] as { name: string }[];
      expect(listed.map(({ name }) => name)).toEqual([
        'caller',
        'doomed',
        'heir',
        'keeper',
        'late',
        'liar',
        'listed',
        'report',
        'slow',
        'tagger',
        'tree',
      ]);
      expect(listed[7]).toEqual({
        name: 'report',
        description: 'Counts words and shouts.',
        input_schema: {
          type: 'object',
          properties: { text: { type: 'string' } },
          required: ['text'],
        },
        output_schema: expect.objectContaining({ type: 'object' }),
      });
    });

    it('shows one pipeline with the names of its stages', async () => {
      const { status, body } = await send(`${url}/report`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ name: 'report', stages: ['count', 'shout'] });
      expect(Object.keys(body)).toEqual(expect.arrayContaining(['input_schema', 'output_schema']));
    });

    it('answers HEAD like GET, without a body', async () => {
      const response = await fetch(`${url}/report`, { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
    });
  });

  describe('running a pipeline', () => {
    it('answers with the result', async () => {
      const { status, body, headers } = await post(`${url}/report`, { text: 'one two' });
      expect(status).toBe(200);
      expect(body).toEqual({
        success: true,
        result: { text: 'ONE TWO', words: 2 },
        execution_id: expect.any(String),
      });
      expect(headers.get('x-execution-id')).toBe(body['execution_id']);
    });

    it('takes JSON without a Content-Type, and other JSON types', async () => {
      const body = new Blob([JSON.stringify({ text: 'a b' })]);
      expect((await send(`${url}/report`, { method: 'POST', body })).status).toBe(200);
      const ld = await post(
        `${url}/report`,
        { text: 'a b' },
        { 'content-type': 'application/ld+json; charset=UTF-8' },
      );
      expect(ld.status).toBe(200);
    });

    it('takes forms, whose fields are texts', async () => {
      const { status, body } = await send(`${url}/report`, {
        method: 'POST',
        body: new URLSearchParams({ text: 'a b c' }),
      });
      expect(status).toBe(200);
      expect(body['result']).toEqual({ text: 'A B C', words: 3 });
    });

    it('takes compressed bodies', async () => {
      const { status } = await send(`${url}/report`, {
        method: 'POST',
        body: gzipSync(JSON.stringify({ text: 'a' })),
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      });
      expect(status).toBe(200);
    });

    it('takes no body for an empty input', async () => {
      const { status, body } = await send(`${url}/report`, { method: 'POST' });
      expect(status).toBe(422);
      expect(body['error']).toBe("Property 'text' expected string, got undefined");
    });

    it('keeps input properties called name, action and controller', async () => {
      const { body } = await post(`${url}/keeper`, { name: 'n', action: 'a', controller: 'c' });
      expect(body['result']).toMatchObject({ kept: 'n a c' });
    });
  });

  describe('runs that end otherwise', () => {
    it('answers 422 for an input against the contract, with the path', async () => {
      const { status, body } = await post(`${url}/tree`, {
        tree: { children: [{ children: [] }, { children: 3 }] },
      });
      expect(status).toBe(422);
      expect(body).toEqual({
        success: false,
        error: "Property 'tree.children[1].children' expected array, got number",
        type: 'contract_violation',
        violations: [
          expect.objectContaining({
            path: 'tree.children[1].children',
            expected: 'array',
            got: 'number',
          }),
        ],
        request_id: expect.any(String),
      });
    });

    it('answers 422 for an operation against its contract, and names stage and operation', async () => {
      const { status, body } = await post(`${url}/liar`);
      expect(status).toBe(422);
      expect(body).toMatchObject({
        success: false,
        type: 'contract_violation',
        stage: 'only',
        operation: 'lie',
      });
      expect(body['error']).toBe("Property 'words' expected number, got string");
    });

    it('answers 500 for an error of an operation, with what it says and no stack trace', async () => {
      const { status, body } = await post(`${url}/doomed`);
      expect(status).toBe(500);
      expect(body).toEqual({
        success: false,
        error: 'no such customer',
        type: 'execution_error',
        code: 'PermanentError',
        status: 'failed',
        stage: 'only',
        operation: 'refuse',
        attempts: 1,
        details: { id: 7 },
        execution_id: expect.any(String),
        request_id: expect.any(String),
      });
    });

    it('answers 504 when the pipeline takes longer than its timeout', async () => {
      const { status, body } = await post(`${url}/late`, { ms: 20_000 });
      expect(status).toBe(504);
      expect(body).toMatchObject({ success: false, type: 'timeout', status: 'timed_out' });
    });

    it.each(['cancel', 'terminate'] as const)(
      'answers 409 when somebody else does %s the run meanwhile',
      async (how) => {
        const key = `stop-${how}-${String(Date.now())}`;
        const answer = post(`${url}/slow`, { ms: 20_000 }, { 'idempotency-key': key });
        const { body } = await post(
          `${url}/slow/async`,
          { ms: 20_000 },
          { 'idempotency-key': key },
        );
        const id = `pipeline/slow/${String(body['execution_id'])}`;
        await temporal.client.workflow.getHandle(id)[how]();
        const { status, body: told } = await answer;
        expect(status).toBe(409);
        const code = how === 'cancel' ? 'cancelled' : 'terminated';
        expect(told).toMatchObject({ success: false, type: 'execution_error', code, status: code });
      },
    );
  });

  describe('requests that are wrong', () => {
    it('answers 404 for a pipeline that is not there', async () => {
      for (const answer of [
        await send(`${url}/nope`),
        await post(`${url}/nope`),
        await post(`${url}/toString/async`),
      ]) {
        expect(answer.status).toBe(404);
        expect(answer.body['error']).toMatch(/^Pipeline not found: (nope|toString)$/);
        expect(answer.body['type']).toBe('not_found');
      }
    });

    it('answers 404 for a path that is not there, and malformed escapes', async () => {
      for (const path of [
        '/',
        '/nope',
        '/pipelines/report/executions/1/2/3',
        '/pipelines/%E0%A4%A',
        '//evil/pipelines',
      ]) {
        const received = await raw(
          server,
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
        );
        expect(received).toMatch(/^HTTP\/1\.1 404 /);
        expect(received).toContain('"success":false');
      }
    });

    it('answers 405 for a method that a path does not have, with those that it has', async () => {
      const wrong = [
        ['DELETE', '/pipelines/report', 'GET, HEAD, POST'],
        ['GET', '/pipelines/report/stream', 'POST'],
        ['PROPFIND', '/pipelines/report/async', 'POST'],
        ['POST', '/pipelines/report/executions', 'GET, HEAD'],
        ['PUT', '/health', 'GET, HEAD'],
        ['POST', '/openapi.json', 'GET, HEAD'],
      ] as const;
      for (const [method, path, allow] of wrong) {
        const { status, body, headers } = await send(`${server.url}${path}`, { method });
        expect({ method, path, status }).toEqual({ method, path, status: 405 });
        expect(headers.get('allow')).toBe(allow);
        expect(body).toMatchObject({ success: false, type: 'method_not_allowed' });
      }
      const options = await fetch(`${url}/report`, { method: 'OPTIONS' });
      expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST']);
    });

    it.each(['{"text":', 'null', '[1]', '"text"', '7', '{"text":"a"}{'])(
      'answers 400 for the body %s',
      async (body) => {
        const answer = await send(`${url}/report`, {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json' },
        });
        expect(answer.status).toBe(400);
        expect(answer.body).toMatchObject({
          success: false,
          type: 'invalid_request',
          request_id: expect.any(String),
        });
      },
    );

    it('answers 400 for a body that is nested too deeply', async () => {
      const body = `{"text":"a","x":${'['.repeat(1_000)}${']'.repeat(1_000)}}`;
      const answer = await send(`${url}/report`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status).toBe(400);
      expect(answer.body['error']).toContain('maxBodyDepth');
    });

    it('answers 400 for JSON that was sent as a form, and says what to do', async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const { status, body } = await send(`${url}/report`, {
        method: 'POST',
        body: '{"text":"a"}',
        headers,
      });
      expect(status).toBe(400);
      expect(body['error']).toContain('Content-Type: application/json');
    });

    it('answers 400 for a body that is not compressed as it says', async () => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      expect(
        (await send(`${url}/report`, { method: 'POST', body: '{"text":"a"}', headers })).status,
      ).toBe(400);
    });

    it.each([
      ['text/plain', ''],
      ['multipart/form-data; boundary=x', ''],
      ['application/json; charset=latin1', ''],
      ['application/json', 'snappy'],
      ['nonsense', ''],
    ])('answers 415 for the type %s %s', async (type, encoding) => {
      const headers = {
        'content-type': type,
        ...(encoding !== '' && { 'content-encoding': encoding }),
      };
      const { status, body } = await send(`${url}/report`, {
        method: 'POST',
        body: '{"text":"a"}',
        headers,
      });
      expect(status).toBe(415);
      expect(body).toMatchObject({ success: false, type: 'unsupported_media_type' });
    });

    it('answers 413 for a body that is too large, also when it only becomes so unpacked', async () => {
      const large = JSON.stringify({ text: 'a'.repeat(2_000_000) });
      const json = { 'content-type': 'application/json' };
      for (const [body, headers] of [
        [large, json],
        [gzipSync(large), { ...json, 'content-encoding': 'gzip' }],
      ] as const) {
        const answer = await send(`${url}/report`, { method: 'POST', body, headers });
        expect(answer.status).toBe(413);
        expect(answer.body['error']).toBe('The body is larger than 4096 bytes (server.bodyLimit).');
      }
    });

    it('answers JSON to what is no HTTP', async () => {
      const received = await raw(server, 'nonsense\r\n\r\n');
      expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(received).toContain('{"success":false,"error":"Bad Request"');
      const large = await raw(
        server,
        `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      );
      expect(large).toMatch(/^HTTP\/1\.1 431 /);
    });
  });

  describe('request ids', () => {
    it('takes over a sane one and makes one otherwise', async () => {
      const given = await send(`${url}/nope`, { headers: { 'x-request-id': 'edge-1:2' } });
      expect(given.headers.get('x-request-id')).toBe('edge-1:2');
      expect(given.body['request_id']).toBe('edge-1:2');
      const odd = await send(url, { headers: { 'x-request-id': 'a b"<' } });
      expect(odd.headers.get('x-request-id')).toMatch(/^[0-9A-Z]{26}$/);
    });
  });
});
