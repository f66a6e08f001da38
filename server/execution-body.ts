import type { Engine } from '../engine/engine.js';
import type { Execution } from '../engine/execution.js';
import type { ExecutionSummary } from '../engine/execution-list.js';
import type { Json, JsonObject } from '../src/definition/json.js';
import { apiErrorType } from '../src/pipeline/failure.js';
import { usageByModel, type StageProgress } from '../src/progress/progress.js';
import { taskBody } from './task-body.js';
import { placeOf } from './middleware/errors.js';

/** The links of an execution, relative to the host. A route that is not mounted has none. */
export interface ExecutionLinks {
  readonly status_url?: string;
  readonly events_url?: string;
}

/** An execution as `GET …/executions/:id` tells it: seed 000's fields, and what Temporal knows beside them. */
export function executionBody(
  execution: Execution,
  links: ExecutionLinks,
  engine: Engine,
): JsonObject {
  const { failure, progress, principal } = execution;
  const usage = progress === undefined ? [] : usageByModel(progress);
  const temporalUrl = engine.uiLink(execution.id, execution.temporalRunId);
  return {
    execution_id: execution.executionId,
    ...named(execution),
    status: execution.status,
    ...(execution.result !== undefined && { result: execution.result }),
    ...(failure !== undefined && {
      error: {
        type: apiErrorType(failure.type),
        message: failure.message,
        code: failure.type,
        ...placeOf(failure),
      },
    }),
    started_at: execution.startedAt.toISOString(),
    ...(execution.completedAt !== undefined && {
      completed_at: execution.completedAt.toISOString(),
    }),
    ...(progress?.task === undefined
      ? { stages: (progress?.stages ?? []).map(stageBody) }
      : taskBody(progress.task)),
    usage: usage.map(({ model, inputTokens, outputTokens }) => ({
      model,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
    })),
    ...(principal !== undefined && { principal }),
    ...links,
    ...(temporalUrl !== undefined && { temporal_url: temporalUrl }),
  };
}

/** Seed 000 calls a pipeline by `pipe_name`, and hand-written workflows too. */
function named({ id, name }: ExecutionSummary): Record<string, Json> {
  return id.startsWith('task/') ? { task_name: name } : { pipe_name: name };
}

function stageBody(stage: StageProgress): JsonObject {
  return {
    name: stage.name,
    state: stage.state,
    ...times(stage),
    ...(stage.namespaceCount !== undefined && { namespace_count: stage.namespaceCount }),
    operations: stage.operations.map(
      ({ name, type, state, startedAt, durationMs, attempts, failure }): JsonObject => ({
        name,
        type,
        state,
        ...times({ startedAt }),
        ...(durationMs !== undefined && { duration_ms: durationMs }),
        ...(attempts !== undefined && { attempts }),
        ...(failure !== undefined && { error: failure.message }),
      }),
    ),
  };
}

function times({
  startedAt,
  completedAt,
}: {
  startedAt?: number | undefined;
  completedAt?: number | undefined;
}): Record<string, Json> {
  return {
    ...(startedAt !== undefined && { started_at: new Date(startedAt).toISOString() }),
    ...(completedAt !== undefined && { completed_at: new Date(completedAt).toISOString() }),
  };
}

/** A line of a list of executions. */
export function summaryBody(summary: ExecutionSummary, links: ExecutionLinks): JsonObject {
  return {
    execution_id: summary.executionId,
    ...named(summary),
    status: summary.status,
    started_at: summary.startedAt.toISOString(),
    ...(summary.completedAt !== undefined && { completed_at: summary.completedAt.toISOString() }),
    ...(summary.principal !== undefined && { principal: summary.principal }),
    ...(summary.deadLetter !== undefined && { dead_letter: summary.deadLetter }),
    ...links,
  };
}
