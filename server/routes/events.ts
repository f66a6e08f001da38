import type { Context } from 'koa';
import type { EventPosition } from '../../src/progress/run-event.js';
import { isClosed } from '../../src/progress/status.js';
import type { Run } from '../../engine/run.js';
import type { Api } from '../api-options.js';
import { authorizedExecution } from '../middleware/authorization.js';
import { readLastEventId } from '../query-parameters.js';
import type { EventStreams } from '../sse.js';
import { exposedRun } from './executions.js';

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
  const after = readLastEventId(ctx);
  const { status } = await authorizedExecution(ctx, api, run);
  if (after !== undefined && isClosed(status) && !(await hasNews(run, after))) {
    // This makes an EventSource stop reconnecting (HTML standard): it has had everything.
    ctx.status = 204;
    return;
  }
  ctx.set('X-Execution-Id', run.executionId);
  if (ctx.method === 'HEAD') {
    ctx.status = 200;
    return;
  }
  streams
    .reserve()
    .open(ctx, run.executionId, (signal) => run.events({ after, signal, hints: true }));
}

async function hasNews(run: Run, after: EventPosition): Promise<boolean> {
  for await (const _event of run.events({ after })) return true;
  return false;
}
