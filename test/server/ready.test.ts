import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import Koa from 'koa';
import { Engine } from '../../engine/engine.js';
import { readinessOf, type WorkerState } from '../../engine/readiness.js';
import { createApp } from '../../server/app.js';
import { healthRoute, readyRoute } from '../../server/embedding.js';
import { startListener, type HttpServer } from '../../server/http-listener.js';
import type { ProbedWorker } from '../../server/routes/ready.js';
import { probeRoutes, startWorkerHttp } from '../../server/worker-http.js';
import { VERSION } from '../../src/version.js';
import { configOf, send, useServers } from '../support/http-api.js';
import { useSharedStack } from '../support/stack.js';
import { useTemporal } from '../support/temporal.js';
import { operations, pipelines } from './definitions.js';

const temporal = useTemporal();

const listening: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(listening.splice(0).map((server) => server.stop(0)));
});

/** The address of an app that is stopped after the test. */
async function urlOf(app: Koa, stopping = new AbortController()): Promise<string> {
  const server = await startListener(app, { host: '127.0.0.1', port: 0, stopping });
  listening.push(server);
  return server.url;
}

async function asked(url: string): Promise<readonly [number, unknown]> {
  const { status, body } = await send(url);
  return [status, body];
}

/** A worker in a state, as probes see it. */
function workerThatIs(state: WorkerState): ProbedWorker {
  return { state, readiness: async () => readinessOf({ temporal: 'ok', worker: state }) };
}

const READY = { status: 'ready', parts: { temporal: 'ok' } };

describe('GET /ready', () => {
  const stack = useSharedStack(temporal, () => ({ operations, pipelines }));
  const serve = useServers();

  it('answers 200 while the server reaches Temporal and is not told to stop', async () => {
    const stopping = new AbortController();
    const app = createApp(stack.current.engine, configOf(), { stop: stopping.signal });
    const url = await urlOf(app, stopping);
    expect(await asked(`${url}/ready`)).toEqual([200, READY]);
    stopping.abort();
    expect(await asked(`${url}/ready`)).toEqual([503, { ...READY, status: 'draining' }]);
    expect((await send(`${url}/health`)).status).toBe(200);
  });

  it('answers 503 within seconds where Temporal is away, and where it has no such namespace', async () => {
    const { code, taskQueue } = stack.current;
    const away = Connection.lazy({ address: '127.0.0.1:9', interceptors: [] });
    const clients = [
      new Client({ connection: away }),
      new Client({ connection: temporal.connection, namespace: 'nowhere' }),
    ];
    for (const client of clients) {
      const { url } = await serve(new Engine({ client, taskQueue, code }));
      expect(await asked(`${url}/ready`)).toEqual([
        503,
        { status: 'unavailable', parts: { temporal: 'unreachable' } },
      ]);
      expect((await send(`${url}/health`)).status).toBe(200);
    }
    await away.close();
  });

  it('is asked for as other routes are: by who is known, and with GET', async () => {
    const { engine } = stack.current;
    const { url } = await serve(engine, { apiAuthentication: () => false });
    expect((await send(`${url}/ready`)).status).toBe(401);
    const open = await serve(engine);
    expect((await send(`${open.url}/ready`, { method: 'POST' })).status).toBe(405);
  });

  it('speaks of a worker in the same process, too', async () => {
    const { engine } = stack.current;
    for (const [state, status, code] of [
      ['starting', 'starting', 503],
      ['running', 'ready', 200],
      ['draining', 'draining', 503],
      ['stopped', 'unavailable', 503],
    ] as const) {
      const { url } = await serve(engine, {}, { worker: workerThatIs(state) });
      const parts = { temporal: 'ok', worker: state };
      expect(await asked(`${url}/ready`)).toEqual([code, { status, parts }]);
      const healthy = { status: 'ok', loaded: true, version: VERSION, worker: state };
      expect(await asked(`${url}/health`)).toEqual([200, healthy]);
    }
  });

  it('can be mounted into an app, where it asks nobody who they are', async () => {
    const { engine } = stack.current;
    const stopping = new AbortController();
    const worker = workerThatIs('running');
    const app = new Koa();
    app.use(readyRoute({ engine, worker, stop: stopping.signal }).routes());
    app.use(readyRoute({ path: '/worker/ready', worker: workerThatIs('starting') }).routes());
    app.use(healthRoute({ worker: workerThatIs('failed') }).routes());
    const url = await urlOf(app);
    const parts = { temporal: 'ok', worker: 'running' };
    expect(await asked(`${url}/millrace/ready`)).toEqual([200, { status: 'ready', parts }]);
    stopping.abort();
    expect(await asked(`${url}/millrace/ready`)).toEqual([503, { status: 'draining', parts }]);
    expect((await send(`${url}/worker/ready`)).body).toMatchObject({ status: 'starting' });
    expect(await asked(`${url}/millrace/health`)).toEqual([
      503,
      { status: 'failed', loaded: true, version: VERSION, worker: 'failed' },
    ]);
  });
});

describe('what a worker process answers', () => {
  const start = async (
    worker: ProbedWorker,
    more: Parameters<typeof startWorkerHttp>[0] = [],
  ): Promise<string> => {
    const routes = [...probeRoutes(worker), ...more];
    const server = await startWorkerHttp(routes, { host: '127.0.0.1', port: 0 });
    listening.push(server);
    return server.url;
  };

  it('is what the server answers', async () => {
    const url = await start(workerThatIs('running'));
    const parts = { temporal: 'ok', worker: 'running' };
    expect(await asked(`${url}/ready`)).toEqual([200, { status: 'ready', parts }]);
    const healthy = { status: 'ok', loaded: true, version: VERSION, worker: 'running' };
    expect(await asked(`${url}/health`)).toEqual([200, healthy]);
    expect((await send(`${url}/health`, { method: 'POST' })).status).toBe(405);
    expect(await asked(`${url}/pipelines`)).toEqual([
      404,
      { success: false, error: 'Not found', type: 'not_found', request_id: expect.any(String) },
    ]);
  });

  it('has further routes where it is given some', async () => {
    const url = await start(workerThatIs('running'), [
      { name: 'metrics', path: '/metrics', handler: (ctx) => void (ctx.body = 'up 1\n') },
    ]);
    expect(await (await fetch(`${url}/metrics`)).text()).toBe('up 1\n');
  });

  it('names the option that says where, when it cannot listen there', async () => {
    const { port } = new URL(await start(workerThatIs('running')));
    await expect(startWorkerHttp([], { host: '127.0.0.1', port: Number(port) })).rejects.toThrow(
      /the port is in use. Choose another with --port or worker\.http\.port\./,
    );
  });
});
