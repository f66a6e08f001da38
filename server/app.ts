import { Router } from '@koa/router';
import Koa, { type Context } from 'koa';
import type { Engine } from '../engine/engine.js';
import type { ProjectConfig } from '../src/config/project-config.js';
import { createApi, settingsOfConfig, type Api, type ApiDependencies } from './api-options.js';
import { ApprovalLinks } from '../adapters/approval/approval-links.js';
import { addApprovalRoutes, APPROVAL_PATH } from './approval-routes.js';
import { addAttributeRoutes } from './attributes/attribute-routes.js';
import { addGetRoute } from './get-route.js';
import { HttpProblem } from './http-problem.js';
import { accessLog } from './middleware/access-log.js';
import { authentication } from './middleware/authentication.js';
import type { Around } from './middleware/chain.js';
import { addDataFlowRoutes, addHeartbeatRoute } from './data-flow-routes.js';
import { heartbeatGuards } from './heartbeat-guards.js';
import { crossOrigin } from './middleware/cross-origin.js';
import { errors } from './middleware/errors.js';
import { checkHeartbeatToken } from './middleware/heartbeat-authentication.js';
import { loopbackHostOnly } from './middleware/loopback-host.js';
import { requestId } from './middleware/request-id.js';
import { sameSiteOnly } from './middleware/same-site.js';
import { openApiDocument } from './openapi.js';
import { addRecordPipelineRoutes } from './record-pipeline-routes.js';
import { addPipelineRoutes } from './pipeline-routes.js';
import { pathAbove } from './request-path.js';
import { health } from './routes/health.js';
import { metrics } from './routes/metrics.js';
import { ready, type ProbedWorker } from './routes/ready.js';
import { listDefinitions } from './routes/pipelines.js';
import { addSessionRoutes, SESSION_PATH } from './session-routes.js';
import { Sessions } from './sessions.js';
import { EventStreams } from './sse.js';

/** What the app gets from the process around it. */
export interface AppDependencies extends ApiDependencies {
  /** False while the project's definitions could not be loaded; `GET /health` tells it. */
  readonly loaded?: () => boolean;
  /** A worker in the same process: `GET /health` and `GET /ready` speak of it, too. */
  readonly worker?: ProbedWorker;
  /** The process listens where only its own machine reaches it: without authentication, other hosts' names are refused. */
  readonly loopbackOnly?: boolean;
  /** What sessions are encrypted with, where the configuration has `sessions`: what its references stand for. */
  readonly sessionSecrets?: readonly string[];
  /** What links of approvals are signed with, where the configuration has `approvals`: what its references stand for. */
  readonly approvalSecrets?: readonly string[];
  /** The token of the heartbeat, where the configuration wants one: what its reference stands for. */
  readonly heartbeatToken?: string;
  /**
   * Routes that the project names itself, such as {@link pipelineRoutes}. Asked before the app's own. Unless the configuration
   * has `apiAuthentication`, requests for them are refused as for the app's own: from pages of other sites, and on loopback
   * under other hosts' names. That goes for routers with an `apiAuthentication` of their own, too.
   */
  readonly routes?: readonly Router[];
}

/** Where the app has its pipelines, as seed 000 has them. */
const PIPELINES = '/pipelines';

/** Where the app has its tasks. */
const TASKS = '/tasks';

/** Where the app has its data flows. */
const DATA_FLOWS = '/data_flows';

/** Where the app has its record pipelines. */
const RECORD_PIPELINES = '/record_pipelines';

/** What `catchAllRoutes` serves of every exposed pipeline. */
const CATCH_ALL = { path: PIPELINES, stream: true, async: true } as const;

/**
 * The whole HTTP API as a Koa app: health and readiness, the list of pipelines, `/openapi.json`, the pipelines that `routes` of the
 * configuration names, and with `catchAllRoutes` every exposed one under `/pipelines/:name` or `/tasks/:name`, with streams and
 * asynchronous executions; the heartbeat of data flows, and with `dataFlows.routes` all of their API; with `recordPipelines.routes` that of
 * record pipelines; with `attributes.routes` that of entities, attributes and the pipelines that compute them.
 *
 * Every response has an `X-Request-Id`, and every error is JSON.
 *
 * @throws {@link HeartbeatTokenInvalid} where the heartbeat is to be authenticated, and there is no token;
 *   {@link SessionSecretInvalid} where there are to be sessions, and no secret that is long enough; {@link ApprovalSecretInvalid}
 *   likewise for links of approvals
 */
export function createApp(
  engine: Engine,
  config: ProjectConfig,
  dependencies: AppDependencies = {},
): Koa {
  const { apiAuthentication } = config;
  const sessions = sessionsOf(config, dependencies);
  const settings = {
    ...settingsOfConfig(config),
    ...(sessions !== undefined &&
      apiAuthentication !== undefined && {
        apiAuthentication: sessions.around(apiAuthentication),
      }),
  };
  const api = createApi(engine, settings, dependencies);
  const app = new Koa();
  // Koa would print what it hands to this listener; the errors middleware has logged what is worth it.
  app.on('error', (error: unknown) => {
    api.log.debug({ err: error }, 'response failed');
  });
  for (const around of [requestId(api.log), accessLog]) app.use(around);
  if (config.cors !== undefined) app.use(crossOrigin(config.cors));
  app.use(errors);
  if (apiAuthentication === undefined)
    for (const guard of guards(config, dependencies)) app.use(guard);
  for (const routes of dependencies.routes ?? []) app.use(routes.routes());
  const own = ownRoutes(api, config, dependencies);
  if (sessions !== undefined && apiAuthentication !== undefined)
    addSessionRoutes(own, sessions, apiAuthentication);
  app.use(own.routes());
  app.use((ctx) => {
    throw notFound(ctx, config.catchAllRoutes);
  });
  return app;
}

function sessionsOf(
  { sessions, cors }: ProjectConfig,
  { sessionSecrets = [] }: AppDependencies,
): Sessions | undefined {
  if (sessions === undefined) return undefined;
  const { maxAgeMs } = sessions;
  // Without credentials a browser lets no page of another origin read an answer to a cookie.
  const origins = cors?.credentials === true ? cors.origins : [];
  return new Sessions({ secrets: sessionSecrets, maxAgeMs, origins });
}

/** What stands before every route of an app that asks nobody who they are, also before routes that are not its own. */
function guards(config: ProjectConfig, { loopbackOnly }: AppDependencies): readonly Around[] {
  return [
    ...(loopbackOnly === true ? [loopbackHostOnly] : []),
    sameSiteOnly(config.cors?.origins ?? []),
  ];
}

function ownRoutes(api: Api, config: ProjectConfig, dependencies: AppDependencies): Router {
  const { settings, stop } = api;
  const { apiAuthentication } = settings;
  // Where nobody authenticates, the app's guards stand before all routes.
  const around = apiAuthentication === undefined ? [] : [authentication(apiAuthentication)];
  const streams = new EventStreams(
    { clients: settings.sseClients, keepAliveMs: settings.keepAliveMs },
    stop,
  );
  const router = new Router({ sensitive: true });
  addHeartbeat(router, api, config, dependencies);
  for (const { pipeline, path, stream, async } of config.routes) {
    addPipelineRoutes(router, api, streams, {
      path,
      nameOf: () => pipeline,
      as: `route:${path}`,
      stream,
      async,
      around,
    });
  }
  addOwnRoutes(router, api, config, { ...dependencies, around });
  if (config.dataFlows.routes)
    addDataFlowRoutes(router, api, streams, { path: DATA_FLOWS, around });
  if (config.recordPipelines.routes)
    addRecordPipelineRoutes(router, api, streams, { path: RECORD_PIPELINES, around });
  if (config.attributes.routes) addAttributeRoutes(router, api, streams, { path: '', around });
  if (config.approvals !== undefined) {
    const { approvalSecrets = [] } = dependencies;
    addApprovalRoutes(
      router,
      api,
      new ApprovalLinks({ ...config.approvals, secrets: approvalSecrets }),
    );
  }
  if (config.catchAllRoutes) addCatchAllRoutes(router, api, streams, around);
  return router;
}

/** What a client finds its way by. */
function addOwnRoutes(
  router: Router,
  api: Api,
  config: ProjectConfig,
  { loaded, worker, around }: AppDependencies & { readonly around: readonly Around[] },
): void {
  addGetRoute(router, {
    name: 'health',
    path: '/health',
    around,
    handler: health({
      loaded: loaded ?? (() => api.engine.definitions.size > 0),
      ...(worker !== undefined && { worker }),
    }),
  });
  addGetRoute(router, {
    name: 'ready',
    path: '/ready',
    around,
    handler: ready({
      parts: [api.engine, ...(worker === undefined ? [] : [worker])],
      stop: api.stop,
    }),
  });
  if (config.metrics.enabled)
    addGetRoute(router, { name: 'metrics', path: '/metrics', around, handler: metrics() });
  addGetRoute(router, {
    name: 'pipelines',
    path: PIPELINES,
    around,
    handler: (ctx) => {
      listDefinitions(ctx, api, 'pipeline', () => true);
    },
  });
  addGetRoute(router, {
    name: 'tasks',
    path: TASKS,
    around,
    handler: (ctx) => {
      listDefinitions(ctx, api, 'task', () => true);
    },
  });
  addGetRoute(router, {
    name: 'openapi',
    path: '/openapi.json',
    around,
    handler: (ctx) => {
      const { catchAllRoutes, routes, dataFlows, recordPipelines, attributes } = config;
      const catchAll = catchAllRoutes ? { ...CATCH_ALL, tasks: TASKS } : undefined;
      ctx.body = openApiDocument(api, {
        server: pathAbove(ctx, 1),
        catchAll,
        routes,
        ...(dataFlows.routes && { dataFlows: DATA_FLOWS }),
        heartbeat: dataFlows.heartbeat.endpointPath,
        ...(recordPipelines.routes && { recordPipelines: RECORD_PIPELINES }),
        ...(attributes.routes && { attributes: '' }),
        ...(config.sessions !== undefined && { session: SESSION_PATH }),
        ...(config.approvals !== undefined && { approvals: APPROVAL_PATH }),
      });
    },
  });
}

/** What `catchAllRoutes` serves: every exposed pipeline, and every exposed task. */
function addCatchAllRoutes(
  router: Router,
  api: Api,
  streams: EventStreams,
  around: readonly Around[],
): void {
  for (const [only, path] of [
    ['pipeline', PIPELINES],
    ['task', TASKS],
  ] as const)
    addPipelineRoutes(router, api, streams, {
      ...CATCH_ALL,
      path: `${path}/:name`,
      nameOf: ({ name }) => name,
      as: only,
      only,
      around,
    });
}

/** Comes before all other routes: it is where the configuration says, whatever else would be there. */
function addHeartbeat(
  router: Router,
  api: Api,
  { dataFlows: { routes, heartbeat } }: ProjectConfig,
  { heartbeatToken }: AppDependencies,
): void {
  const { endpointPath, authenticationEnabled, ipWhitelistingEnabled } = heartbeat;
  const { apiAuthentication } = api.settings;
  const around = heartbeatGuards({
    ...(authenticationEnabled && { token: checkHeartbeatToken(heartbeatToken) }),
    ...(apiAuthentication !== undefined && { apiAuthentication }),
    ...(ipWhitelistingEnabled && { allowedIps: heartbeat.whitelistedIps }),
    trustProxy: heartbeat.trustProxy,
  });
  const isServed = (): boolean => routes || api.engine.dataFlowNames.length > 0;
  addHeartbeatRoute(router, api, { path: endpointPath, around, isServed });
}

function notFound(ctx: Context, catchAllRoutes: boolean): HttpProblem {
  const hint =
    !catchAllRoutes && ctx.path.startsWith(`${PIPELINES}/`)
      ? '. Pipelines are served under /pipelines/:name where the configuration says catchAllRoutes: true, and where its routes name them'
      : '';
  return new HttpProblem(404, 'not_found', `Not found${hint}`);
}
