import type { Router, RouterContext } from '@koa/router';
import type { Context } from 'koa';
import { DefinitionNotFound } from '../engine/errors.js';
import type { Api } from './api-options.js';
import { within, type Around } from './middleware/chain.js';
import { exposedDefinition, listOf, type Listed } from './middleware/exposure.js';
import { methodNotAllowed } from './middleware/method.js';
import { executeAsync } from './routes/async.js';
import { streamEvents } from './routes/events.js';
import { execute } from './routes/execute.js';
import { cancelExecution, listExecutions, showExecution } from './routes/executions.js';
import type { Mounted } from './routes/mount.js';
import { showDefinition } from './routes/pipelines.js';
import { requeue } from './routes/dead-letters.js';
import { changeStep, STEP_ACTIONS, type StepAction } from './routes/steps.js';
import { executeStream } from './routes/stream.js';
import type { EventStreams } from './sse.js';

/** Where the routes of one pipeline, or of all of them, are. */
export interface PipelineMount extends Mounted {
  /** Path of the pipeline: `/pipelines/:name`, or `/summarize`. */
  readonly path: string;
  /** The pipeline's name, or undefined when these routes do not serve the request: it then goes on to the app's next. */
  readonly nameOf: (params: Readonly<Record<string, string>>) => string | undefined;
  /** Which definitions have them; all unless given. */
  readonly only?: Listed;
  /** What the routes' names begin with, for `router.url()`. */
  readonly as: string;
  /** What runs around each handler. */
  readonly around: readonly Around[];
}

/** What handles a request for a definition, one of its executions, or a step of one. */
type NamedHandler = (
  ctx: Context,
  name: string,
  executionId: string,
  step: string,
) => Promise<void> | void;

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
      router[method](`${mount.as}${suffix}`, full, served(api, mount, handler));
    }
    const methods = routes.map(({ method }) => method.toUpperCase());
    router.all(full, served(api, mount, methodNotAllowed(methods)));
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
            showDefinition(ctx, api, name);
          },
        },
        { method: 'post', suffix: '', handler: (ctx, name) => execute(ctx, api, name, mount) },
      ],
    ],
    ...(stream ? streamRoutes(api, streams) : []),
    ...(async ? asyncRoutes(api, mount) : []),
    ...(async && mount.only !== 'pipeline' ? stepRoutes(api, mount) : []),
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

/** What people tell tasks of their steps, and do about those that were set aside. Other definitions have neither. */
function stepRoutes(api: Api, mount: Mounted): readonly (readonly [string, readonly Route[]])[] {
  return [...deadLetterRoutes(api, mount), ...STEP_ACTIONS.map(stepRoute(api, mount))];
}

function deadLetterRoutes(
  api: Api,
  mount: Mounted,
): readonly (readonly [string, readonly Route[]])[] {
  return [
    [
      '/dead_letters',
      [
        {
          method: 'get',
          suffix: '_dead_letters',
          handler: (ctx, name) => listExecutions(ctx, api, name, mount, { deadLetters: true }),
        },
      ],
    ],
    [
      '/executions/:id/requeue',
      [
        {
          method: 'post',
          suffix: '_requeue',
          handler: (ctx, name, executionId) => requeue(ctx, api, { name, executionId }, mount),
        },
      ],
    ],
  ];
}

function stepRoute(
  api: Api,
  mount: Mounted,
): (action: StepAction) => readonly [string, readonly Route[]] {
  return (action) => [
    `/executions/:id/steps/:step/${action}`,
    [
      {
        method: 'post',
        suffix: `_step_${action}`,
        handler: (ctx, name, executionId, step) =>
          changeStep(ctx, api, { name, executionId, step, action }, mount),
      },
    ],
  ];
}

/** Lets a request for a name that is not served pass by before anything, authentication included, has seen it. */
function served(
  api: Api,
  mount: PipelineMount,
  handler: NamedHandler,
): (ctx: RouterContext, next: () => Promise<unknown>) => Promise<unknown> {
  return async (ctx, next) => {
    const name = mount.nameOf(ctx.params);
    if (name === undefined) return next();
    const { id = '', step = '' } = ctx.params;
    return within(mount.around, (inner) => {
      const { only } = mount;
      if (only !== undefined && listOf(exposedDefinition(api, name, only)) !== only)
        throw new DefinitionNotFound(name, only);
      return handler(inner, name, id, step);
    })(ctx);
  };
}
