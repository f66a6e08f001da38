import type { WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';
import { RunFailed } from '../../engine/errors.js';
import type { RefreshExecution } from '../../engine/attribute-pipeline/refresh-execution.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { RefreshResult } from '../../src/attribute-pipeline/refresh.js';
import type { JsonObject } from '../../src/definition/json.js';
import { recordOf } from '../request-record.js';
import { answers } from './answers.js';
import {
  listed,
  placeNamed,
  typesOfPipelines,
  type AttributeRequest,
} from './attribute-request.js';
import { resultInTime } from './result-in-time.js';
import { route, type AttributeRoute } from './attribute-route.js';
import { task, taskOf } from './runs.js';

/** Running several pipelines, and `/attribute_refreshes`: what has become of them. */
export const refreshRoutes: readonly AttributeRoute[] = [
  route({
    method: 'post',
    path: '/attribute_pipelines/run',
    name: 'attribute_pipelines_run',
    summary: 'Run several pipelines, or all, each after those that it reads from.',
    access: 'run',
    body: z.strictObject({
      ...task,
      entity_type: z.string().optional(),
      pipelines: z.array(z.string()).min(1).optional(),
    }),
    entityTypes: (_, { entity_type, pipelines }) =>
      pipelines === undefined ? listed(entity_type) : typesOfPipelines(pipelines),
    status: 202,
    waits: true,
    answer: answers.refresh,
    handler: async (request, { entity_type, pipelines, ...rest }) => {
      const { ctx, attributes, base } = request;
      const { principal } = recordOf(ctx);
      const named = pipelines?.map((name) => placeNamed('pipeline', name));
      const { id, workflowId } = await attributes.refresh.all({
        kind: 'all',
        trigger: 'manual',
        task: taskOf(rest),
        ...(entity_type !== undefined && { entityType: entity_type }),
        ...(named !== undefined && { pipelines: named }),
        ...(principal !== undefined && { principal }),
      });
      ctx.set('Location', linksOf(id, base).self);
      // 200 instead of the 202 of what goes on.
      ctx.status = (await isOverInTime(request, workflowId)) ? 200 : 202;
      ctx.body = refreshBody(id, await attributes.refresh.execution(id), base);
      return undefined;
    },
  }),
  route({
    method: 'get',
    path: '/attribute_refreshes/:refresh',
    name: 'attribute_refresh',
    summary: 'Several runs that were started together, and what has become of each.',
    access: 'read',
    entityTypes: typesOfRefresh,
    answer: answers.refresh,
    handler: (request) => answered(request, (id) => request.attributes.refresh.execution(id)),
  }),
  route({
    method: 'post',
    path: '/attribute_refreshes/:refresh/cancel',
    name: 'attribute_refresh_cancel',
    summary:
      'Ask several runs to end, and the others of them not to begin. What was written stays.',
    access: 'run',
    entityTypes: typesOfRefresh,
    status: 202,
    answer: answers.refresh,
    handler: (request) => answered(request, (id) => request.attributes.refresh.cancel(id)),
  }),
];

function idOf({ params }: AttributeRequest): string {
  return params['refresh'] ?? '';
}

async function answered(
  request: AttributeRequest,
  refresh: (id: string) => Promise<RefreshExecution>,
): Promise<JsonObject> {
  const id = idOf(request);
  return refreshBody(id, await refresh(id), request.base);
}

function linksOf(id: string, base: string) {
  const self = `${base}/attribute_refreshes/${id}`;
  return { self, cancel: `${self}/cancel` };
}

/** None where all pipelines were asked for: whoever may see that may see all. */
async function typesOfRefresh(request: AttributeRequest): Promise<readonly string[]> {
  const { task: asked } = await request.attributes.refresh.execution(idOf(request));
  const { entityType, pipelines } = asked;
  return pipelines === undefined
    ? listed(entityType)
    : typesOfPipelines(pipelines.map(pipelineName));
}

async function isOverInTime(request: AttributeRequest, workflowId: string): Promise<boolean> {
  const { engine } = request.api;
  const handle: WorkflowHandle<() => Promise<RefreshResult>> =
    engine.temporal.client.workflow.getHandle(workflowId);
  try {
    const result = await resultInTime(request, ({ signal }) => engine.resultOf(handle, signal));
    return result !== undefined;
  } catch (error) {
    if (error instanceof RunFailed) return true;
    throw error;
  }
}

function refreshBody(
  id: string,
  { workflowId, status, task: asked, startedAt, completedAt, runs }: RefreshExecution,
  base: string,
): JsonObject {
  const count = (...statuses: readonly string[]): number =>
    runs.filter((run) => statuses.includes(run.status)).length;
  return {
    id,
    workflow_id: workflowId,
    status,
    principal: asked.principal ?? null,
    started_at: startedAt.toISOString(),
    completed_at: completedAt?.toISOString() ?? null,
    planned: runs.length,
    completed: count('completed'),
    failed: count('failed', 'timed_out', 'terminated', 'refused'),
    attribute_runs: runs.map((run) => ({
      id: run.run,
      pipeline: run.name,
      status: run.status,
      waits_for: run.status === 'pending' ? run.after : [],
      error_message: run.message,
      ...(run.status !== 'pending' &&
        run.status !== 'refused' && {
          links: { run: `${base}/attribute_runs/${run.run}` },
        }),
    })),
    links: linksOf(id, base),
  };
}
