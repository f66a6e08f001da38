import type { Context } from 'koa';
import type { Api } from '../api-options.js';
import { authorizedExecution } from '../middleware/authorization.js';
import type { EventStreams } from '../sse.js';
import { exposedRun } from './executions.js';
import { streamRun } from './run-events.js';

/**
 * `GET …/executions/:id/events`: the events of a run, past ones first, then those to come, then the end. With
 * `Last-Event-ID` it goes on after that event, on whichever server.
 */
export async function streamEvents(
  ctx: Context,
  api: Api,
  target: { readonly name: string; readonly executionId: string },
  streams: EventStreams,
): Promise<void> {
  const run = exposedRun(ctx, api, target.name, target.executionId);
  await streamRun(ctx, streams, run, () => authorizedExecution(ctx, api, run));
}
