import type { Router, RouterContext } from '@koa/router';
import type { Context } from 'koa';
import type { Api } from './api-options.js';
import { within, type Around } from './middleware/chain.js';
import { methodNotAllowed } from './middleware/method.js';
import { executeAsync } from './routes/async.js';
import { streamEvents } from './routes/events.js';
import { execute } from './routes/execute.js';
import { cancelExecution, listExecutions, showExecution } from './routes/executions.js';
import type { Mounted } from './routes/mount.js';
import { showPipeline } from './routes/pipelines.js';
import { executeStream } from './routes/stream.js';
import type { EventStreams } from './sse.js';

/** Where the routes of one pipeline, or of all of them, are. */
export interface PipelineMount extends Mounted {
  /** Path of the pipeline: `/pipelines/:name`, or `/summarize`. */
  readonly path: string;
  /** The pipeline's name, or undefined when these routes do not serve the request: it then goes on to the app's next. */
  readonly nameOf: (params: Readonly<Record<string, string>>) => string | undefined;
  /** What the routes' names begin with, for `router.url()`. */
  readonly as: string;
  /** What runs around each handler. */
  readonly around: readonly Around[];
}

type NamedHandler = (ctx: Context, name: string, executionId: string) => Promise<void> | void;

interface Route {
  readonly method: 'get' | 'post';
  /** Of the route's name, after `as`; the one of seed 000 where it has one. */
  readonly suffix: string;
  readonly handler: NamedHandler;
}

/** Adds the routes of pipelines to a router. */
export function addPipelineRoutes(
  router: Router,
  api: Api,
  streams: EventStreams,
  mount: PipelineMount,
): void {
  for (const [path, routes] of routesByPath(api, streams, mount)) {
    const full = `${mount.path}${path}`;
    for (const { method, suffix, handler } of routes) {
      router[method](`${mount.as}${suffix}`, full, served(mount, handler));
    }
    const methods = routes.map(({ method }) => method.toUpperCase());
    router.all(full, served(mount, methodNotAllowed(methods)));
  }
}

function routesByPath(
  api: Api,
  streams: EventStreams,
  mount: PipelineMount,
): readonly (readonly [string, readonly Route[]])[] {
  const { stream, async } = mount;
  return [
    [
      '',
      [
        {
          method: 'get',
          suffix: '_info',
          handler: (ctx, name) => {
            showPipeline(ctx, api, name);
          },
        },
        { method: 'post', suffix: '', handler: (ctx, name) => execute(ctx, api, name, mount) },
      ],
    ],
    ...(stream ? streamRoutes(api, streams) : []),
    ...(async ? asyncRoutes(api, mount) : []),
  ];
}

function streamRoutes(
  api: Api,
  streams: EventStreams,
): readonly (readonly [string, readonly Route[]])[] {
  return [
    [
      '/stream',
      [
        {
          method: 'post',
          suffix: '_stream',
          handler: (ctx, name) => executeStream(ctx, api, name, streams),
        },
      ],
    ],
    [
      '/executions/:id/events',
      [
        {
          method: 'get',
          suffix: '_execution_events',
          handler: (ctx, name, executionId) =>
            streamEvents(ctx, api, { name, executionId }, streams),
        },
      ],
    ],
  ];
}

function asyncRoutes(api: Api, mount: Mounted): readonly (readonly [string, readonly Route[]])[] {
  return [
    [
      '/async',
      [
        {
          method: 'post',
          suffix: '_async',
          handler: (ctx, name) => executeAsync(ctx, api, name, mount),
        },
      ],
    ],
    [
      '/executions',
      [
        {
          method: 'get',
          suffix: '_executions',
          handler: (ctx, name) => listExecutions(ctx, api, name, mount),
        },
      ],
    ],
    [
      '/executions/:id',
      [
        {
          method: 'get',
          suffix: '_execution',
          handler: (ctx, name, executionId) =>
            showExecution(ctx, api, { name, executionId }, mount),
        },
      ],
    ],
    [
      '/executions/:id/cancel',
      [
        {
          method: 'post',
          suffix: '_execution_cancel',
          handler: (ctx, name, executionId) =>
            cancelExecution(ctx, api, { name, executionId }, mount),
        },
      ],
    ],
  ];
}

/** Lets a request for a name that is not served pass by before anything, authentication included, has seen it. */
function served(
  mount: PipelineMount,
  handler: NamedHandler,
): (ctx: RouterContext, next: () => Promise<unknown>) => Promise<unknown> {
  return async (ctx, next) => {
    const name = mount.nameOf(ctx.params);
    if (name === undefined) return next();
    const { id = '' } = ctx.params;
    return within(mount.around, (inner) => handler(inner, name, id))(ctx);
  };
}
