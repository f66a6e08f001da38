import { Router } from '@koa/router';
import Koa from 'koa';
import pino, { type Logger } from 'pino';
import { addGetRoute } from './get-route.js';
import { startListener, type HttpServer } from './http-listener.js';
import { HttpProblem } from './http-problem.js';
import type { Handler } from './middleware/chain.js';
import { errors } from './middleware/errors.js';
import { requestId } from './middleware/request-id.js';
import { health } from './routes/health.js';
import { metrics } from './routes/metrics.js';
import { ready, type ProbedWorker } from './routes/ready.js';

/** What a worker process answers `GET` with, beside its work. */
export interface WorkerRoute {
  /** For `router.url()`. */
  readonly name: string;
  readonly path: string;
  readonly handler: Handler;
}

/** Where a worker process listens. */
export interface WorkerHttpOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Told of what went wrong while something was answered. */
  readonly log?: Logger;
}

/** `/health` and `/ready`, as the server has them. */
export function probeRoutes(worker: ProbedWorker): readonly WorkerRoute[] {
  return [
    { name: 'health', path: '/health', handler: health({ loaded: () => true, worker }) },
    { name: 'ready', path: '/ready', handler: ready({ parts: [worker] }) },
  ];
}

/** `/metrics`, as the server has it. */
export function metricsRoute(): WorkerRoute {
  return { name: 'metrics', path: '/metrics', handler: metrics() };
}

/**
 * Answers probes of a worker process. It asks nobody who they are: let routes tell nothing that whoever reaches the port may not know.
 *
 * @throws {@link ListenFailed}
 */
export async function startWorkerHttp(
  routes: readonly WorkerRoute[],
  { host, port, log = pino({ level: 'silent' }) }: WorkerHttpOptions,
): Promise<HttpServer> {
  const app = new Koa();
  const router = new Router({ sensitive: true });
  for (const route of routes) addGetRoute(router, { ...route, around: [] });
  app.use(requestId(log)).use(errors).use(router.routes());
  app.use(() => {
    throw new HttpProblem(404, 'not_found', 'Not found');
  });
  const stopping = new AbortController();
  return startListener(app, { host, port, stopping, setting: 'worker.http.port' });
}
