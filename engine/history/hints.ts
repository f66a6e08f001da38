import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { Client } from '@temporalio/client';
import { isPlainObject, type JsonObject } from '../../src/definition/json.js';
import type { RunEvent } from '../../src/progress/run-event.js';
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
    const name = {
      operation: operation?.name ?? activity.activityType?.name ?? '',
      stage: stage?.name ?? '',
    };
    const known = memory.get(id) ?? { attempt: (operation?.attemptsBefore ?? 0) + 1, progress: '' };
    const attempt = (operation?.attemptsBefore ?? 0) + (activity.attempt ?? 1);
    if (attempt > known.attempt) {
      const error = activity.lastFailure?.message ?? '';
      events.push({
        type: 'operation_retrying',
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
        data: type === 'operation_progress' ? { ...name, attempt, ...data } : data,
      });
    }
    memory.set(id, { attempt, progress: text });
  }
  return events;
}

/** What the progress of a body is called, by what the run is of. */
function progressType({ progress }: RunFold): RunEvent['type'] {
  if (progress?.flow !== undefined) return 'flow_progress';
  if (progress?.attributes !== undefined) return 'attribute_run_progress';
  return progress?.records === undefined ? 'operation_progress' : 'record_pipeline_progress';
}
