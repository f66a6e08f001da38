import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import pino from 'pino';
import { Engine } from '../../engine/engine.js';
import { ListenFailed, type HttpServer } from '../../server/http-listener.js';
import { startHttpServer, UnauthenticatedListen } from '../../server/http-server.js';
import { isLoopback } from '../../server/loopback.js';
import { configOf, post, raw, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

describe('the HTTP server', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();

  it('refuses to listen where others reach it without authentication, unless told to', async () => {
    const { engine } = stack.current;
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com', '::ffff:10.0.0.1']) {
      await expect(startHttpServer(engine, configOf(), { host, port: 0 })).rejects.toThrow(
        UnauthenticatedListen,
      );
    }
    const insecure = await serve(engine, {}, { host: '0.0.0.0', insecure: true });
    expect((await send(`http://127.0.0.1:${String(insecure.port)}/health`)).status).toBe(200);
    await serve(engine, { apiAuthentication: () => 'somebody' }, { host: '0.0.0.0' });
  });

  it('refuses names of other hosts, which may have been made to lead here, unless it authenticates or is told not to', async () => {
    const { engine } = stack.current;
    const asked = async (server: HttpServer, host: string): Promise<string> =>
      (
        await raw(server, `GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      ).slice(9, 12);
    const open = await serve(engine);
    for (const host of ['127.0.0.1:1', 'localhost', 'app.localhost:80', '[::1]:8787'])
      expect(await asked(open, host)).toBe('200');
    expect(await asked(open, 'evil.example:8787')).toBe('403');
    expect(await asked(await serve(engine, {}, { insecure: true }), 'mill.example')).toBe('200');
    const closed = await serve(engine, { apiAuthentication: () => 'somebody' });
    expect(await asked(closed, 'mill.example')).toBe('200');
  });

  it('knows loopback addresses', () => {
    expect(
      ['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1'].filter(
        (host) => !isLoopback(host),
      ),
    ).toEqual([]);
    expect(
      ['', '0.0.0.0', '10.0.0.1', 'localhost.example.com', '127.0.0.1.nip.io'].filter(isLoopback),
    ).toEqual([]);
  });

  it('says so when the port is taken', async () => {
    const { engine } = stack.current;
    const first = await serve(engine);
    const second = startHttpServer(engine, configOf(), { port: first.port });
    await expect(second).rejects.toThrow(ListenFailed);
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE', port: first.port });
    await expect(second).rejects.toThrow(
      `cannot listen on 127.0.0.1:${String(first.port)}: the port is in use.`,
    );
  });

  it('finishes what it is answering when it stops, and takes nothing new', async () => {
    const { engine } = stack.current;
    const server = await serve(engine);
    const answer = post(`${server.url}/pipelines/report`, { text: 'a' });
    const keptOpen = connect(server.port, server.host);
    const closed = new Promise((resolve) => keptOpen.once('close', resolve));
    const { status } = await answer;
    await Promise.all([server.stop(), server.stop()]);
    await closed;
    expect(status).toBe(200);
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });

  it('logs each request once, with its id and without its query', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino(
      {},
      { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    );
    const config = { apiAuthentication: () => 'alice', webhooks: { allow: ['127.0.0.0/8'] } };
    const server = await serve(stack.current.engine, config, { log });
    const { body } = await post(
      `${server.url}/pipelines/report?webhook_url=http://127.0.0.1:9/secret`,
      { text: 'a' },
      { 'x-request-id': 'r-1' },
    );
    await post(`${server.url}/pipelines/nope`);
    await server.stop();
    const requests = lines.filter(({ msg }) => msg === 'request');
    expect(requests).toHaveLength(2);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      path: '/pipelines/report',
      status: 200,
      ms: expect.any(Number),
      requestId: 'r-1',
      principal: 'alice',
      executionId: body['execution_id'],
    });
    expect(requests[1]).toMatchObject({ path: '/pipelines/nope', status: 404 });
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('answers 503 when the Temporal server is away', async () => {
    const { code, taskQueue } = stack.current;
    const connection = Connection.lazy({ address: '127.0.0.1:9', interceptors: [] });
    const server = await serve(new Engine({ client: new Client({ connection }), taskQueue, code }));
    const { status, body, headers } = await post(`${server.url}/pipelines/report`, { text: 'a' });
    expect([status, body['type'], headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
    expect((await send(`${server.url}/health`)).status).toBe(200);
    await connection.close();
  });
});
