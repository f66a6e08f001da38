import type { Router, RouterContext } from '@koa/router';
import type { Context } from 'koa';
import type { Api } from './api-options.js';
import { askCatalog } from './middleware/catalog-errors.js';
import { permit } from './middleware/authorization.js';
import { within, type Around } from './middleware/chain.js';
import { methodNotAllowed } from './middleware/method.js';
import { pathAbove } from './request-path.js';
import { streamFlowEvents } from './routes/data-flow-events.js';
import type { FlowRequest } from './routes/data-flow-request.js';
import {
  cancelFlowRun,
  listFlowRuns,
  listRejections,
  showFlowRun,
} from './routes/data-flow-runs.js';
import {
  backfillFlow,
  changeFlow,
  listFlows,
  pauseFlow,
  resetFlow,
  resumeFlow,
  runFlow,
  showFlow,
  showSchedule,
} from './routes/data-flows.js';
import { beat } from './routes/heartbeat.js';
import type { EventStreams } from './sse.js';

/** Where the routes of data flows are. */
export interface DataFlowMount {
  /** Path of the list: `/data_flows`. */
  readonly path: string;
  /** What runs around each handler. */
  readonly around: readonly Around[];
}

/** Where the heartbeat is. */
export interface HeartbeatMount extends DataFlowMount {
  /** Whether it is served now: a project may get its first flow while it is served. */
  readonly isServed: () => boolean;
}

interface Route {
  readonly method: 'get' | 'post' | 'patch';
  /** For `router.url()`. */
  readonly name: string;
  readonly handler: (request: FlowRequest) => Promise<void>;
}

/** A path below the list, and its routes. */
type Path = readonly [string, readonly Route[]];

/** Adds the heartbeat. Before the routes of flows, among which it has the place of one. */
export function addHeartbeatRoute(
  router: Router,
  api: Api,
  { path, around, isServed }: HeartbeatMount,
): void {
  const serve =
    (handler: (ctx: Context) => Promise<void> | void) =>
    (ctx: RouterContext, next: () => Promise<unknown>): Promise<unknown> =>
      isServed() ? within(around, handler)(ctx) : next();
  router.post(
    'heartbeat',
    path,
    serve((ctx) => beat(ctx, api)),
  );
  router.all(path, serve(methodNotAllowed(['POST'])));
}

/** Adds the routes of data flows to a router. */
export function addDataFlowRoutes(
  router: Router,
  api: Api,
  streams: EventStreams,
  { path, around }: DataFlowMount,
): void {
  for (const [below, routes] of paths(streams)) {
    const full = `${path}${below}` || '/';
    const depth = below.split('/').length - 1;
    for (const { method, name, handler } of routes) {
      const serve = within(around, (ctx) => serveFlow(ctx, api, { method, handler, depth }));
      router[method](name, full, serve);
    }
    const methods = routes.map(({ method }) => method.toUpperCase());
    router.all(full, within(around, methodNotAllowed(methods)));
  }
}

async function serveFlow(
  ctx: Context,
  api: Api,
  { method, handler, depth }: Pick<Route, 'method' | 'handler'> & { readonly depth: number },
): Promise<void> {
  // The router has put them there.
  const { name = '', id = '' } = (ctx as RouterContext).params;
  ctx.set('Cache-Control', 'no-store');
  await permit(ctx, api.settings.authorizeDataFlows, {
    access: method === 'get' ? 'read' : 'write',
    ...(name !== '' && { flow: name }),
  });
  await askCatalog(() => handler({ ctx, api, name, id, base: pathAbove(ctx, depth) }));
}

function paths(streams: EventStreams): readonly Path[] {
  const events: Route['handler'] = (request) => streamFlowEvents(request, streams);
  return [
    ['', [get('data_flows', listFlows)]],
    ['/:name', [get('data_flow', showFlow), patch('data_flow_change', changeFlow)]],
    ['/:name/run', [post('data_flow_run', runFlow)]],
    ['/:name/pause', [post('data_flow_pause', pauseFlow)]],
    ['/:name/resume', [post('data_flow_resume', resumeFlow)]],
    ['/:name/reset', [post('data_flow_reset', resetFlow)]],
    ['/:name/backfill', [post('data_flow_backfill', backfillFlow)]],
    ['/:name/schedule', [get('data_flow_schedule', showSchedule)]],
    ['/:name/runs', [get('data_flow_runs', listFlowRuns)]],
    ['/:name/runs/:id', [get('data_flow_run_info', showFlowRun)]],
    ['/:name/runs/:id/rejections', [get('data_flow_run_rejections', listRejections)]],
    ['/:name/runs/:id/events', [get('data_flow_run_events', events)]],
    ['/:name/runs/:id/cancel', [post('data_flow_run_cancel', cancelFlowRun)]],
  ];
}

function get(name: string, handler: Route['handler']): Route {
  return { method: 'get', name, handler };
}

function post(name: string, handler: Route['handler']): Route {
  return { method: 'post', name, handler };
}

function patch(name: string, handler: Route['handler']): Route {
  return { method: 'patch', name, handler };
}
