import { Router } from '@koa/router';
import pino from 'pino';
import {
  createApi,
  settingsOfOptions,
  type Api,
  type ApiOptions,
  type ConfiguredEngine,
} from './api-options.js';
import { accessLog } from './middleware/access-log.js';
import { authentication } from './middleware/authentication.js';
import type { Around, Handler } from './middleware/chain.js';
import { errors } from './middleware/errors.js';
import { addGetRoute } from './get-route.js';
import { requestId } from './middleware/request-id.js';
import { addPipelineRoutes } from './pipeline-routes.js';
import { health } from './routes/health.js';
import { ready, type ProbedWorker } from './routes/ready.js';
import { listDefinitions } from './routes/pipelines.js';
import { EventStreams } from './sse.js';

/** Options of {@link createRouter}. */
export interface RouterOptions extends ApiOptions {
  /** Where the list of pipelines is; each is below it. Default: `/pipelines`. */
  readonly path?: string;
  /** Serve these pipelines and no others. */
  readonly only?: readonly string[];
  /** Serve all pipelines but these. */
  readonly except?: readonly string[];
  /** Also `POST …/:name/stream` and the events of executions. Default: false. */
  readonly stream?: boolean;
  /** Also `POST …/:name/async` and the status, list and cancelling of executions. Default: false. */
  readonly async?: boolean;
}

/** Options of {@link pipelineRoutes}. */
export interface PipelineRoutesOptions extends ApiOptions {
  readonly engine: ConfiguredEngine;
  /** Default: `/<name>`. */
  readonly path?: string;
  readonly stream?: boolean;
  readonly async?: boolean;
  /** What the names of the routes begin with. Default: `millrace_<name>`. */
  readonly as?: string;
}

/** Options of {@link healthRoute}. */
export interface HealthRouteOptions {
  /** Default: `/millrace/health`. */
  readonly path?: string;
  /** Whose definitions `loaded` speaks of. Without one it is true. */
  readonly engine?: ConfiguredEngine;
  /** A worker of the process: the body tells its state, and the status is 503 once it has failed. */
  readonly worker?: Pick<ProbedWorker, 'state'>;
}

/** Options of {@link readyRoute}. */
export interface ReadyRouteOptions {
  /** Default: `/millrace/ready`. */
  readonly path?: string;
  /** Whose Temporal server is asked. */
  readonly engine?: ConfiguredEngine;
  /** A worker of the process, which has to take work. */
  readonly worker?: ProbedWorker;
  /** Aborted when the process is told to stop: the answer is 503 from then on. */
  readonly stop?: AbortSignal;
}

/**
 * A router with the routes of all pipelines, for somebody's own Koa app (seed 000's `brainpipe_pipes`):
 * `app.use(createRouter(engine, { path: '/ai', only: ['summarize'], stream: true }).routes())`.
 *
 * Requests for pipelines that it does not serve go on to the app's next middleware. Its own answers, errors included, are
 * complete: they need none of the app's middleware, and no body parser must come before it.
 *
 * @throws {@link InvalidDuration} for a `maxWait` or `keepAlive` that is none
 */
export function createRouter(engine: ConfiguredEngine, options: RouterOptions = {}): Router {
  const { path = '/pipelines', only, except, stream = false, async = false } = options;
  const base = path.replace(/\/+$/, '');
  const { api, streams, around } = embedded(engine, options);
  const serves = (name: string): boolean =>
    (only?.includes(name) ?? true) && !(except?.includes(name) ?? false);
  const router = new Router({ sensitive: true });
  addGetRoute(router, {
    name: 'pipelines',
    path: base === '' ? '/' : base,
    around,
    handler: (ctx) => {
      listDefinitions(ctx, api, 'pipeline', serves);
    },
  });
  addPipelineRoutes(router, api, streams, {
    path: `${base}/:name`,
    nameOf: ({ name }) => (name !== undefined && serves(name) ? name : undefined),
    as: 'pipeline',
    stream,
    async,
    around,
  });
  return router;
}

/**
 * A router with the routes of one pipeline, at a path of its own (seed 000's `brainpipe_pipe`):
 * `app.use(pipelineRoutes('summarize', { engine, path: '/api/v1/summarize', stream: true }).routes())`.
 *
 * The routes are called `<as>_info`, `<as>`, `<as>_stream`, `<as>_async` and `<as>_execution`.
 *
 * @throws {@link InvalidDuration} for a `maxWait` or `keepAlive` that is none
 */
export function pipelineRoutes(name: string, options: PipelineRoutesOptions): Router {
  const {
    engine,
    path = `/${name}`,
    as = `millrace_${name}`,
    stream = false,
    async = false,
  } = options;
  const { api, streams, around } = embedded(engine, options);
  const router = new Router({ sensitive: true });
  addPipelineRoutes(router, api, streams, {
    path: path.replace(/\/+$/, ''),
    nameOf: () => name,
    as,
    stream,
    async,
    around,
  });
  return router;
}

/** A router with the health check alone (seed 000's `brainpipe_health`). It asks nobody who they are. */
export function healthRoute({
  path = '/millrace/health',
  engine,
  worker,
}: HealthRouteOptions = {}): Router {
  const loaded = (): boolean => engine === undefined || engine.definitions.size > 0;
  const handler = health({ loaded, ...(worker !== undefined && { worker }) });
  return probeRoute('millrace_health', path, handler);
}

/**
 * A router that tells whether the process takes work and reaches Temporal, or answers 503. It asks nobody who they are:
 * `app.use(readyRoute({ engine, worker }).routes())`.
 */
export function readyRoute({
  path = '/millrace/ready',
  engine,
  worker,
  stop,
}: ReadyRouteOptions): Router {
  const parts = [engine, worker].filter((part) => part !== undefined);
  const handler = ready({ parts, ...(stop !== undefined && { stop }) });
  return probeRoute('millrace_ready', path, handler);
}

function probeRoute(name: string, path: string, handler: Handler): Router {
  const router = new Router({ sensitive: true });
  const around = [requestId(pino({ level: 'silent' })), errors];
  addGetRoute(router, { name, path, around, handler });
  return router;
}

/** What the routers of an app that is not ours bring with them. */
export interface Embedded {
  readonly api: Api;
  readonly streams: EventStreams;
  /** What stands before authentication. */
  readonly before: readonly Around[];
  /** That, and authentication. */
  readonly around: readonly Around[];
}

/** Makes what a router in somebody's own app works with. @throws {@link InvalidDuration} */
export function embedded(engine: ConfiguredEngine, options: ApiOptions): Embedded {
  const settings = settingsOfOptions(engine, options);
  const api = createApi(engine, settings, options);
  const streams = new EventStreams(
    { clients: settings.sseClients, keepAliveMs: settings.keepAliveMs },
    api.stop,
  );
  const before = [requestId(api.log), accessLog, errors];
  const around = [...before, authentication(settings.apiAuthentication)];
  return { api, streams, before, around };
}
