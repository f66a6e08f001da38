import type { Router, RouterContext } from '@koa/router';
import type { Context } from 'koa';
import type { Api } from './api-options.js';
import { permit } from './middleware/authorization.js';
import { within, type Around } from './middleware/chain.js';
import { methodNotAllowed } from './middleware/method.js';
import { pathAbove } from './request-path.js';
import { streamRecordEvents } from './routes/record-pipeline-events.js';
import { listRecords } from './routes/record-pipeline-records.js';
import type { RecordRequest } from './routes/record-pipeline-request.js';
import {
  cancelRecordRun,
  listRecordFailures,
  listRecordRuns,
  showRecordRun,
} from './routes/record-pipeline-runs.js';
import {
  listVersions,
  makeVersion,
  restoreVersion,
  showDiff,
  showVersion,
} from './routes/record-pipeline-versions.js';
import {
  listRecordPipelines,
  runRecordPipeline,
  showRecordPipeline,
} from './routes/record-pipelines.js';
import type { EventStreams } from './sse.js';

/** Where the routes of record pipelines are. */
export interface RecordPipelineMount {
  /** Path of the list: `/record_pipelines`. */
  readonly path: string;
  /** What runs around each handler. */
  readonly around: readonly Around[];
}

interface Route {
  readonly method: 'get' | 'post';
  /** For `router.url()`. */
  readonly name: string;
  readonly handler: (request: RecordRequest) => Promise<void>;
}

/** A path below the list, and its routes. */
type Path = readonly [string, readonly Route[]];

/** Adds the routes of record pipelines to a router. */
export function addRecordPipelineRoutes(
  router: Router,
  api: Api,
  streams: EventStreams,
  { path, around }: RecordPipelineMount,
): void {
  for (const [below, routes] of paths(streams)) {
    const full = `${path}${below}` || '/';
    const depth = below.split('/').length - 1;
    for (const route of routes)
      router[route.method](
        route.name,
        full,
        within(around, (ctx) => serve(ctx, api, route, depth)),
      );
    const methods = routes.map(({ method }) => method.toUpperCase());
    router.all(full, within(around, methodNotAllowed(methods)));
  }
}

async function serve(
  ctx: Context,
  api: Api,
  { method, handler }: Route,
  depth: number,
): Promise<void> {
  // The router has put them there.
  const { name = '', id = '', version = '', record = '' } = (ctx as RouterContext).params;
  ctx.set('Cache-Control', 'no-store');
  const write = handler === restoreVersion ? 'restore' : 'write';
  await permit(ctx, api.settings.authorizeRecordPipelines, {
    access: method === 'get' ? 'read' : write,
    ...(name !== '' && { pipeline: name }),
  });
  await handler({ ctx, api, name, id, version, record, base: pathAbove(ctx, depth) });
}

function paths(streams: EventStreams): readonly Path[] {
  const events: Route['handler'] = (request) => streamRecordEvents(request, streams);
  return [
    ['', [get('record_pipelines', listRecordPipelines)]],
    ['/:name', [get('record_pipeline', showRecordPipeline)]],
    ['/:name/run', [post('record_pipeline_run', runRecordPipeline)]],
    ['/:name/runs', [get('record_pipeline_runs', listRecordRuns)]],
    ['/:name/runs/:id', [get('record_pipeline_run_info', showRecordRun)]],
    ['/:name/runs/:id/failures', [get('record_pipeline_run_failures', listRecordFailures)]],
    ['/:name/runs/:id/events', [get('record_pipeline_run_events', events)]],
    ['/:name/runs/:id/cancel', [post('record_pipeline_run_cancel', cancelRecordRun)]],
    ['/:name/records/:record', [get('record_pipeline_records', listRecords)]],
    ['/:name/diff', [get('record_pipeline_diff', showDiff)]],
    [
      '/:name/versions',
      [
        get('record_pipeline_versions', listVersions),
        post('record_pipeline_version_make', makeVersion),
      ],
    ],
    ['/:name/versions/:version', [get('record_pipeline_version', showVersion)]],
    ['/:name/versions/:version/restore', [post('record_pipeline_version_restore', restoreVersion)]],
    [
      '/:name/versions/:version/records/:record',
      [get('record_pipeline_version_records', listRecords)],
    ],
  ];
}

function get(name: string, handler: Route['handler']): Route {
  return { method: 'get', name, handler };
}

function post(name: string, handler: Route['handler']): Route {
  return { method: 'post', name, handler };
}
