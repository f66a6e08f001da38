import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { Client } from '@temporalio/client';
import { isPlainObject, type JsonObject } from '../../src/definition/json.js';
import type { RunEvent } from '../../src/progress/run-event.js';
import type { TaskProgress } from '../../src/progress/task-progress.js';
import { stepOfActivityId } from '../../src/task/step-outcome.js';
import { requestTemporal } from '../temporal-request.js';
import { operationPlace } from './decode.js';
import type { RunFold } from './run-fold.js';

/** What was told of each activity before: hints tell changes. */
export type HintMemory = Map<string, { attempt: number; progress: string }>;

/** What describing a run adds to its history: attempts that failed, and how far running bodies are. */
export async function describeHints(
  client: Client,
  workflowId: string,
  fold: RunFold,
  memory: HintMemory,
): Promise<readonly RunEvent[]> {
  const described = await requestTemporal(client, () =>
    client.workflow.getHandle(workflowId, fold.runId).describe(),
  );
  const events: RunEvent[] = [];
  for (const activity of described.raw.pendingActivities ?? []) {
    const id = activity.activityId ?? '';
    const place = operationPlace(id);
    const stage = place === undefined ? undefined : fold.progress?.stages[place.stage];
    const operation = place === undefined ? undefined : stage?.operations[place.operation];
    const step = stepOfActivityId(id);
    const task = fold.progress?.task;
    // What there is no more of for the task may still be running.
    if (task !== undefined && (step === undefined || !isInProgress(task, step))) continue;
    const name =
      step === undefined
        ? {
            operation: operation?.name ?? activity.activityType?.name ?? '',
            stage: stage?.name ?? '',
          }
        : { step };
    const before =
      (step === undefined ? operation?.attemptsBefore : task?.times[step]?.attemptsBefore) ?? 0;
    const known = memory.get(id) ?? { attempt: before + 1, progress: '' };
    const attempt = before + (activity.attempt ?? 1);
    if (attempt > known.attempt) {
      const error = activity.lastFailure?.message ?? '';
      events.push({
        type: step === undefined ? 'operation_retrying' : 'step_retrying',
        time: Date.now(),
        data: { ...name, attempt, error },
      });
    }
    const [details] = await decodeArrayFromPayloads(
      client.options.loadedDataConverter,
      activity.heartbeatDetails?.payloads,
    );
    const progress =
      isPlainObject(details) && isPlainObject(details['progress'])
        ? details['progress']
        : undefined;
    const text = progress === undefined ? '' : JSON.stringify(progress);
    if (progress !== undefined && text !== known.progress) {
      // A body's progress came through JSON.
      const data = progress as JsonObject;
      const type = progressType(fold);
      events.push({
        type,
        time: Date.now(),
        data: OF_ONE_BODY.includes(type) ? { ...name, attempt, ...data } : data,
      });
    }
    memory.set(id, { attempt, progress: text });
  }
  return events;
}

/** Progress that says of which operation, or step, it is. */
const OF_ONE_BODY: readonly RunEvent['type'][] = ['operation_progress', 'step_progress'];

function isInProgress({ state }: TaskProgress, step: string): boolean {
  return Object.hasOwn(state, step) && state[step]?.status === 'in_progress';
}

/** What the progress of a body is called, by what the run is of. */
function progressType({ progress }: RunFold): RunEvent['type'] {
  if (progress?.task !== undefined) return 'step_progress';
  if (progress?.flow !== undefined) return 'flow_progress';
  if (progress?.attributes !== undefined) return 'attribute_run_progress';
  return progress?.records === undefined ? 'operation_progress' : 'record_pipeline_progress';
}
