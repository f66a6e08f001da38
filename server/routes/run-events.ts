import type { Context } from 'koa';
import type { Run } from '../../engine/run.js';
import type { EventPosition } from '../../src/progress/run-event.js';
import { isClosed, type ExecutionStatus } from '../../src/progress/status.js';
import { readLastEventId } from '../query-parameters.js';
import type { EventStreams } from '../sse.js';

/**
 * Answers with the events of a run: past ones first, then those to come, then the end. With `Last-Event-ID` it goes on after that
 * event, on whichever server.
 *
 * @param describe - looks how the run is now
 * @throws {@link HttpProblem} 400 for an id that is none of ours, 503 when there are too many streams; what `describe` throws
 */
export async function streamRun(
  ctx: Context,
  streams: EventStreams,
  run: Run,
  describe: () => Promise<{ readonly status: ExecutionStatus }>,
): Promise<void> {
  const after = readLastEventId(ctx);
  const { status } = await describe();
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
