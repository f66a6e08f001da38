import { RunNotFound } from '../../engine/errors.js';
import type { Execution } from '../../engine/execution.js';
import type { Run } from '../../engine/run.js';
import { HttpProblem } from '../http-problem.js';
import { recordPipelinePath } from '../record-pipeline-body.js';
import type { EventStreams } from '../sse.js';
import { streamRun } from './run-events.js';
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
  await streamRun(ctx, streams, run, () => describedRun(run, request));
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
