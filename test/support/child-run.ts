import type { TestTemporal } from './temporal.js';
import { until } from './until.js';

/** The execution id of the pipeline that a workflow waits for. */
export async function childOf({ client }: TestTemporal, workflowId: string): Promise<string> {
  const handle = client.workflow.getHandle(workflowId);
  return until(async () => {
    const { raw } = await handle.describe();
    const id = raw.pendingChildren?.[0]?.workflowId;
    return id ? id.slice(id.lastIndexOf('/') + 1) : undefined;
  });
}
