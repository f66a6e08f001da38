import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { Engine } from '../engine/engine.js';
import { isPlainObject } from '../src/definition/json.js';

/** What the activity that a run waits for has told last of how far it is. Undefined where none tells. */
export async function liveProgressData(
  { temporal: { client } }: Engine,
  workflowId: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  for (const { heartbeatDetails } of raw.pendingActivities ?? []) {
    const [details] = await decodeArrayFromPayloads(
      client.options.loadedDataConverter,
      heartbeatDetails?.payloads,
    );
    if (isPlainObject(details) && isPlainObject(details['progress'])) return details['progress'];
  }
  return undefined;
}
