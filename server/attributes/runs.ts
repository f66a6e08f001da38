import { z } from 'zod';
import { RunFailed, RunNotFound } from '../../engine/errors.js';
import type { Execution } from '../../engine/execution.js';
import type { Run } from '../../engine/run.js';
import type { RunId } from '../../engine/run-id.js';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { AttributeRun, RunTask } from '../../src/attribute-pipeline/run.js';
import { HttpProblem } from '../http-problem.js';
import { queryValue } from '../request-path.js';
import { recordOf } from '../request-record.js';
import { streamRun } from '../routes/run-events.js';
import { answers } from './answers.js';
import { resultInTime } from './result-in-time.js';
import {
  authorOf,
  listed,
  pageOf,
  pipelinePlace,
  type AttributeRequest,
} from './attribute-request.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { listBody, quoteBody, runBody } from './bodies.js';
import { entityFilter } from './reading.js';

/** What a run of one pipeline, or of several, may be asked for. */
export const task = {
  force: z.boolean().default(true).meta({
    description: 'Compute also what has not changed. The default of a run that somebody asks for.',
  }),
  filter: entityFilter.optional(),
  max_entities: z.int().optional(),
};

const ofPipeline = {
  ...task,
  entity_ids: z.array(z.string()).optional(),
  retry_of: z.string().optional().meta({ description: 'Only what has failed in this run.' }),
};

const PAGE = {
  limit: 'Most entries of the page.',
  after: 'What the page before has told as next.',
};

const startRoutes: readonly AttributeRoute[] = [
  route({
    method: 'post',
    path: '/attribute_pipelines/:pipeline/run',
    name: 'attribute_pipeline_run',
    summary: 'Start a run of a pipeline.',
    access: 'run',
    body: z.strictObject({
      ...ofPipeline,
      queue: z.boolean().default(false).meta({
        description: 'Wait for the end of another run, instead of being refused with 409.',
      }),
    }),
    status: 202,
    waits: true,
    answer: answers.run,
    handler: async (request, { queue, ...wanted }) => {
      const { principal } = recordOf(request.ctx);
      const { attributes } = request;
      const { run } = await attributes.run(pipelinePlace(request), {
        ...(await taskOfPipeline(attributes, wanted)),
        queue,
        ...(principal !== undefined && { principal }),
      });
      request.ctx.set('Location', `${request.base}/attribute_runs/${run.id}`);
      const body = runBody(run, request);
      if (!(await isOverInTime(request, run))) return body;
      // 200 instead of the 202 of what goes on.
      request.ctx.status = 200;
      request.ctx.body = runBody(await attributes.runs.run(run.id), request);
      return undefined;
    },
  }),
  route({
    method: 'post',
    path: '/attribute_pipelines/:pipeline/quote',
    name: 'attribute_pipeline_quote_of',
    summary: 'What a run with this body would look at, and what it would cost.',
    access: 'read',
    body: z.strictObject(ofPipeline),
    answer: answers.quote,
    handler: async (request, wanted) => {
      const place = pipelinePlace(request);
      const { attributes } = request;
      const quote = await attributes.quote(place, await taskOfPipeline(attributes, wanted));
      return quoteBody(place, wanted.force, quote);
    },
  }),
];

const shownRoutes: readonly AttributeRoute[] = [
  route({
    method: 'get',
    path: '/attribute_pipelines/:pipeline/runs',
    name: 'attribute_pipeline_runs',
    summary: 'Runs of a pipeline, newest first.',
    access: 'read',
    query: PAGE,
    answer: answers.list('attribute_runs', answers.run),
    handler: async (request) => {
      const place = pipelinePlace(request);
      await request.attributes.pipelines.pipeline(place);
      const page = await request.attributes.runs.runs(pageOf(request), place);
      return listBody('attribute_runs', page, (run) => runBody(run, request));
    },
  }),
  route({
    method: 'get',
    path: '/attribute_runs',
    name: 'attribute_runs',
    summary: 'Runs of all pipelines, newest first.',
    access: 'read',
    query: { entity_type: 'Only of this type.', ...PAGE },
    entityTypes: ({ ctx }) => listed(queryValue(ctx, 'entity_type')),
    answer: answers.list('attribute_runs', answers.run),
    handler: async (request) => {
      const entityType = queryValue(request.ctx, 'entity_type');
      const of = entityType === undefined ? {} : { entityType };
      const page = await request.attributes.runs.runs(pageOf(request), of);
      return listBody('attribute_runs', page, (run) => runBody(run, request));
    },
  }),
  route({
    method: 'get',
    path: '/attribute_runs/:run',
    name: 'attribute_run',
    summary: 'A run.',
    access: 'read',
    answer: answers.run,
    handler: async (request) => {
      const run = await request.attributes.runs.run(request.params['run'] ?? '');
      const waitsFor = await request.attributes.waitsFor(run);
      return { ...runBody(run, request), waits_for: waitsFor === null ? null : { ...waitsFor } };
    },
  }),
  route({
    method: 'get',
    path: '/attribute_runs/:run/failures',
    name: 'attribute_run_failures',
    summary: 'Entities that have failed in a run.',
    access: 'read',
    query: PAGE,
    answer: answers.list('failures', answers.failure),
    handler: async (request) => {
      const { params, attributes, base } = request;
      const page = await attributes.runs.failures(params['run'] ?? '', pageOf(request));
      return listBody('failures', page, ({ entityId, entityKey, module, message, at }) => ({
        entity_id: entityId,
        entity_key: entityKey,
        module,
        message,
        at: at.toISOString(),
        links: { entity: `${base}/entities/${entityId}` },
      }));
    },
  }),
  route({
    method: 'post',
    path: '/attribute_runs/:run/cancel',
    name: 'attribute_run_cancel',
    summary: 'Ask a run to end. What was written stays.',
    access: 'run',
    status: 202,
    answer: answers.run,
    handler: async (request) =>
      runBody(
        await request.attributes.cancelRun(
          request.params['run'] ?? '',
          authorOf(request).principal,
        ),
        request,
      ),
  }),
];

const eventsRoute = route({
  method: 'get',
  path: '/attribute_runs/:run/events',
  name: 'attribute_run_events',
  summary: 'Stream the events of a run, past and to come (text/event-stream).',
  access: 'read',
  query: { last_event_id: 'Go on after this event, as the header Last-Event-ID does.' },
  handler: stream,
});

/** Starting runs, and `/attribute_runs`: what has become of them. */
export const runRoutes: readonly AttributeRoute[] = [...startRoutes, ...shownRoutes, eventsRoute];

async function isOverInTime(request: AttributeRequest, known: AttributeRun): Promise<boolean> {
  const run = request.api.engine.runWithId(runIdOf(known));
  try {
    return (await resultInTime(request, (wait) => run.result(wait))) !== undefined;
  } catch (error) {
    // One that has failed is over as well; the catalog tells why.
    if (error instanceof RunFailed) return true;
    throw error;
  }
}

function runIdOf(run: AttributeRun): RunId {
  return { kind: 'attribute_pipeline', name: pipelineName(run), executionId: run.id };
}

async function stream({
  ctx,
  api,
  streams,
  attributes,
  params,
}: AttributeRequest): Promise<undefined> {
  const known = await attributes.runs.run(params['run'] ?? '');
  const run = api.engine.runWithId(runIdOf(known));
  await streamRun(ctx, streams, run, () => described(run));
  return undefined;
}

/** @throws {@link HttpProblem} 404 where Temporal knows no such run, or none any more */
async function described(run: Run): Promise<Execution> {
  try {
    return await run.describe();
  } catch (error) {
    if (!(error instanceof RunNotFound)) throw error;
    const message =
      'Temporal keeps no events of this run, or no longer. The run itself is still there.';
    throw new HttpProblem(404, 'not_found', message, { cause: error });
  }
}

async function taskOfPipeline(
  { entities }: Pick<Attributes, 'entities'>,
  { entity_ids, retry_of, ...rest }: z.output<z.ZodObject<typeof ofPipeline>>,
): Promise<RunTask> {
  return {
    ...taskOf(rest),
    ...(entity_ids !== undefined && { entityIds: await entities.entityIds(entity_ids) }),
    ...(retry_of !== undefined && { retryOf: retry_of }),
  };
}

/** The task that a body asks for. */
export function taskOf({
  force,
  filter,
  max_entities,
}: {
  readonly force: boolean;
  readonly filter?: RunTask['filter'] | undefined;
  readonly max_entities?: number | undefined;
}): RunTask {
  return {
    force,
    ...(filter !== undefined && { filter }),
    ...(max_entities !== undefined && { maxEntities: max_entities }),
  };
}
