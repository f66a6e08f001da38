import { RunNotFound } from '../../engine/errors.js';
import type { Execution } from '../../engine/execution.js';
import type { Run } from '../../engine/run.js';
import type { EventPosition } from '../../src/progress/run-event.js';
import { isClosed } from '../../src/progress/status.js';
import { HttpProblem } from '../http-problem.js';
import { readLastEventId } from '../query-parameters.js';
import { recordPipelinePath } from '../record-pipeline-body.js';
import type { EventStreams } from '../sse.js';
import { checkRunId, pipelineFor, type RecordRequest } from './record-pipeline-request.js';

/**
 * `GET /record_pipelines/:name/runs/:id/events`: the events of a run, past ones first, then those to come, then the end. With
 * `Last-Event-ID` it goes on after that event, on whichever server.
 */
export async function streamRecordEvents(
  request: RecordRequest,
  streams: EventStreams,
): Promise<void> {
  const { ctx, api, name, id } = request;
  pipelineFor(request);
  checkRunId(request);
  const run = api.engine.runWithId({ kind: 'record_pipeline', name, executionId: id });
  const after = readLastEventId(ctx);
  const { status } = await describedRun(run, request);
  if (after !== undefined && isClosed(status) && !(await hasNews(run, after))) {
    // This makes an EventSource stop reconnecting (HTML standard): it has had everything.
    ctx.status = 204;
    return;
  }
  ctx.set('X-Execution-Id', id);
  if (ctx.method === 'HEAD') {
    ctx.status = 200;
    return;
  }
  streams.reserve().open(ctx, id, (signal) => run.events({ after, signal, hints: true }));
}

/** @throws {@link HttpProblem} 404 where Temporal knows no such run, or none any more */
async function describedRun(run: Run, { name, id, base }: RecordRequest): Promise<Execution> {
  try {
    return await run.describe();
  } catch (error) {
    if (!(error instanceof RunNotFound)) throw error;
    const known = `${recordPipelinePath(base, name)}/runs/${id}`;
    throw new HttpProblem(
      404,
      'not_found',
      `Temporal keeps no events of the run "${id}" of "${name}", or no longer. What the store knows of it: GET ${known}`,
      { cause: error },
    );
  }
}

async function hasNews(run: Run, after: EventPosition): Promise<boolean> {
  for await (const _event of run.events({ after })) return true;
  return false;
}
