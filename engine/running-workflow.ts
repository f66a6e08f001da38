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
    if (isUnknownWorkflow(error)) return undefined;
    throw error;
  }
}

/** Temporal has no such workflow, or none that goes on. */
export function isUnknownWorkflow(error: unknown): boolean {
  return isNotFound(error) || (error instanceof Error && error.name === 'WorkflowNotFoundError');
}
