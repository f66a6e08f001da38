import type { Client } from '@temporalio/client';
import { isNotFound } from './history/read-history.js';
import { requestTemporal } from './temporal-request.js';

/** Whether a workflow goes on; undefined where the server knows nothing of it, or no longer. @throws {@link TemporalUnavailable} */
export async function isWorkflowRunning(
  client: Client,
  workflowId: string,
): Promise<boolean | undefined> {
  try {
    const { status } = await requestTemporal(client, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return status.name === 'RUNNING';
  } catch (error) {
    if (isNotFound(error)) return undefined;
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return undefined;
    throw error;
  }
}
