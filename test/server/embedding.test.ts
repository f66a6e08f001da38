import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Router } from '@koa/router';
import Koa, { type Context, type Middleware } from 'koa';
import { Engine } from '../../engine/engine.js';
import { createRouter, healthRoute, pipelineRoutes } from '../../server/embedding.js';
import { VERSION } from '../../src/version.js';
import { openEvents } from '../support/event-client.js';
import { configOf, post, send } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

/** What koa-mount does: the mounted app sees the path without its prefix, and `originalUrl` as it was. */
function mount(prefix: string, router: Router): Middleware {
  // It is mounted as plain middleware.
  const inner = router.routes() as (ctx: Context, next: () => Promise<void>) => Promise<void>;
  return async (ctx, next) => {
    if (!ctx.path.startsWith(`${prefix}/`)) {
      await next();
      return;
    }
    const { path } = ctx;
    ctx.path = path.slice(prefix.length);
    await inner(ctx, async () => {
      ctx.path = path;
      await next();
      ctx.path = path.slice(prefix.length);
    });
    ctx.path = path;
  };
}

describe("a router in somebody's own Koa app", () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const servers: Server[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }
  });

  const serve = async (...middleware: (Router | Middleware)[]): Promise<string> => {
    const app = new Koa();
    for (const each of middleware) app.use(each instanceof Router ? each.routes() : each);
    app.use((ctx) => {
      ctx.body = { host: 'answered', path: ctx.path };
    });
    const answer = app.callback();
    const server = createServer((request, response) => void answer(request, response)).listen(
      0,
      '127.0.0.1',
    );
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  };

  it('serves every pipeline below its path, synchronously unless told otherwise', async () => {
    const { engine } = stack.current;
    const url = await serve(createRouter(engine));
    expect((await send(`${url}/pipelines`)).body['pipelines']).toHaveLength(pipelines.length);
    expect((await send(`${url}/pipelines/report`)).body['stages']).toEqual(['count', 'shout']);
    expect((await post(`${url}/pipelines/report`, { text: 'a' })).body['success']).toBe(true);
    for (const path of [
      'stream',
      'async',
      'executions',
      'executions/1',
      'executions/1/events',
      'executions/1/cancel',
    ]) {
      expect((await post(`${url}/pipelines/report/${path}`)).body).toMatchObject({
        host: 'answered',
      });
    }
  });

  it('answers its own errors as JSON, and leaves everything else to the app', async () => {
    const url = await serve(createRouter(stack.current.engine, { path: '/ai/' }));
    const missing = await send(`${url}/ai/nope`);
    expect([missing.status, missing.body['error']]).toEqual([404, 'Pipeline not found: nope']);
    expect(missing.headers.get('x-request-id')).toBe(missing.body['request_id']);
    expect((await send(`${url}/ai/report`, { method: 'PUT' })).status).toBe(405);
    expect((await send(`${url}/other`)).body).toEqual({ host: 'answered', path: '/other' });
  });

  it('serves only or except what it is told, and passes other names on unseen', async () => {
    const { engine } = stack.current;
    const apiAuthentication = (): false => false;
    const only = await serve(createRouter(engine, { only: ['report'], apiAuthentication }));
    expect((await send(`${only}/pipelines/report`)).status).toBe(401);
    for (const method of ['GET', 'POST', 'PUT']) {
      expect((await send(`${only}/pipelines/slow`, { method })).body).toMatchObject({
        host: 'answered',
      });
    }
    const except = await serve(createRouter(engine, { except: ['report'] }));
    expect((await send(`${except}/pipelines/report`)).body).toMatchObject({ host: 'answered' });
    expect((await send(`${except}/pipelines`)).body['pipelines']).toHaveLength(
      pipelines.length - 1,
    );
  });

  it('takes the hooks, the exposure and the limits of a configuration', async () => {
    const url = await serve(
      createRouter(stack.current.engine, {
        apiAuthentication: (ctx) => ctx.get('x-user') || false,
        beforeExecute: (_name, input) =>
          input['text'] === 'no' ? { status: 451, error: 'Not here' } : undefined,
        exposePipes: ['report', 'slow'],
        bodyLimit: 100,
        maxWait: '500ms',
        async: true,
      }),
    );
    const headers = { 'x-user': 'alice' };
    expect((await post(`${url}/pipelines/report`, { text: 'a' })).status).toBe(401);
    expect((await post(`${url}/pipelines/report`, { text: 'no' }, headers)).status).toBe(451);
    expect((await post(`${url}/pipelines/doomed`, {}, headers)).status).toBe(403);
    expect((await post(`${url}/pipelines/report`, { text: 'a'.repeat(100) }, headers)).status).toBe(
      413,
    );
    const waiting = await post(`${url}/pipelines/slow`, { ms: 1_000 }, headers);
    expect([waiting.status, waiting.body['events_url']]).toEqual([202, undefined]);
    const status = await send(`${url}${String(waiting.body['status_url'])}`, { headers });
    expect(status.body).toMatchObject({ pipe_name: 'slow', principal: 'alice' });
  });

  it('follows the configuration that its engine was created from, except where it is told otherwise', async () => {
    const { engine: plain, code, taskQueue } = stack.current;
    const config = configOf({ apiAuthentication: () => false, exposePipes: ['report'] });
    const engine = Object.assign(new Engine({ client: plain.temporal.client, taskQueue, code }), {
      config,
    });
    const configured = await serve(createRouter(engine));
    expect((await send(`${configured}/pipelines`)).status).toBe(401);
    const told = await serve(createRouter(engine, { apiAuthentication: () => 'alice' }));
    expect((await send(`${told}/pipelines`)).body['pipelines']).toHaveLength(1);
  });

  it('waits for as long as a run takes where no route would tell its status', async () => {
    const url = await serve(createRouter(stack.current.engine, { maxWait: 100 }));
    const { status, headers } = await post(
      `${url}/pipelines/slow`,
      { ms: 600 },
      { prefer: 'wait=0' },
    );
    expect([status, headers.get('preference-applied')]).toEqual([200, null]);
  });

  it('shows where it is mounted in its links, whichever way that is done', async () => {
    const { engine } = stack.current;
    const options = { path: '/ai', stream: true, async: true, checkWebhookUrl: () => undefined };
    const outer = new Router();
    outer.use('/outer', createRouter(engine, options).routes());
    const prefixed = new Router({ prefix: '/v1' });
    prefixed.use(createRouter(engine, options).routes());
    const url = await serve(outer, prefixed, mount('/apps/one', createRouter(engine, options)));
    for (const prefix of ['/outer', '/v1', '/apps/one']) {
      const { body } = await post(
        `${url}${prefix}/ai/report/async?webhook_url=http://127.0.0.1:9/`,
        { text: 'a' },
      );
      const path = `${prefix}/ai/report/executions/${String(body['execution_id'])}`;
      expect(body).toMatchObject({ status_url: path, events_url: `${path}/events` });
      const status = await send(`${url}${path}`);
      expect(status.body).toMatchObject({ execution_id: body['execution_id'], status_url: path });
      const events = await openEvents(`${url}${path}/events`);
      await events.ended;
      expect(events.events.at(-1)!.event).toBe('complete');
    }
  });

  it('serves one pipeline at a path of its own, with named routes', async () => {
    const { engine } = stack.current;
    const router = pipelineRoutes('report', {
      engine,
      path: '/api/v1/summary',
      as: 'summary',
      stream: true,
      async: true,
    });
    expect(router.url('summary_info')).toBe('/api/v1/summary');
    expect(router.url('summary')).toBe('/api/v1/summary');
    expect(router.url('summary_stream')).toBe('/api/v1/summary/stream');
    expect(router.url('summary_async')).toBe('/api/v1/summary/async');
    expect(router.url('summary_execution', { id: '7' })).toBe('/api/v1/summary/executions/7');
    const url = await serve(router);
    expect((await send(`${url}/api/v1/summary`)).body['name']).toBe('report');
    const { body } = await post(`${url}/api/v1/summary/async`, { text: 'a' });
    expect(body['status_url']).toBe(`/api/v1/summary/executions/${String(body['execution_id'])}`);
    expect((await send(`${url}${String(body['status_url'])}`)).status).toBe(200);
  });

  it('takes capital letters for another path, of the app around it', async () => {
    const { engine } = stack.current;
    const url = await serve(
      createRouter(engine, { path: '/ai' }),
      pipelineRoutes('report', { engine }),
      healthRoute(),
    );
    for (const path of ['/AI', '/AI/report', '/Report', '/Millrace/Health'])
      expect((await send(`${url}${path}`)).body).toEqual({ host: 'answered', path });
    expect((await send(`${url}/ai/report`)).body['name']).toBe('report');
  });

  it('serves one pipeline under its name unless told otherwise', async () => {
    const { engine } = stack.current;
    const router = pipelineRoutes('report', { engine });
    expect(router.url('millrace_report_info')).toBe('/report');
    const url = await serve(router);
    expect((await post(`${url}/report`, { text: 'a' })).body['result']).toEqual({
      text: 'A',
      words: 1,
    });
    expect((await post(`${url}/report/async`)).body).toMatchObject({ host: 'answered' });
  });

  it('tells its health where the seed has it, and elsewhere', async () => {
    const url = await serve(
      healthRoute(),
      healthRoute({ path: '/health/ai', engine: stack.current.engine }),
    );
    const healthy = { status: 'ok', loaded: true, version: VERSION };
    expect((await send(`${url}/millrace/health`)).body).toEqual(healthy);
    expect((await send(`${url}/health/ai`)).body).toEqual(healthy);
    expect((await send(`${url}/health/ai`, { method: 'POST' })).status).toBe(405);
  });

  it('ends its event streams when the app says that it stops', async () => {
    const stopping = new AbortController();
    const url = await serve(
      createRouter(stack.current.engine, { stream: true, stop: stopping.signal }),
    );
    const client = await openEvents(`${url}/pipelines/slow/stream`, {
      method: 'POST',
      body: JSON.stringify({ ms: 2_000 }),
      headers: { 'content-type': 'application/json' },
    });
    await client.until(({ event }) => event === 'pipe_started');
    stopping.abort();
    await client.ended;
    expect(client.retries).toEqual([1_000]);
    expect((await post(`${url}/pipelines/slow/stream`, { ms: 1 })).status).toBe(503);
  });
});
