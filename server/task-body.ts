import type { Json, JsonObject } from '../src/definition/json.js';
import { stepsOf, type StepProgress, type TaskProgress } from '../src/progress/task-progress.js';

/** What the status of a task says of its steps, beside what every execution has. */
export function taskBody(task: TaskProgress): Record<string, Json> {
  const { namespace, version } = task.plan;
  return { namespace_name: namespace, version, steps: stepsOf(task).map(stepBody) };
}

function stepBody(step: StepProgress): JsonObject {
  const { failure } = step;
  const { name, type, status, dependencies, handler, handlerVersion, attempts } = step;
  const { startedAt, durationMs, result, resultBytes, by, reason } = step;
  return {
    name,
    ...(step.step !== name && { template: step.step }),
    type,
    status,
    dependencies,
    ...(handler !== undefined && { handler }),
    ...(handlerVersion !== undefined && { handler_version: handlerVersion }),
    ...(startedAt !== undefined && { started_at: new Date(startedAt).toISOString() }),
    ...(durationMs !== undefined && { duration_ms: durationMs }),
    ...(attempts !== undefined && { attempts }),
    ...(result !== undefined && { result }),
    // Of a large one only its size is told: a server keeps the progress of many runs.
    ...(resultBytes !== undefined && { result_bytes: resultBytes }),
    ...(failure !== undefined && {
      error: { type: failure.type, message: failure.message, retryable: failure.retryable },
    }),
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
  };
}
