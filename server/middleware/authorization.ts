import type { Context } from 'koa';
import { RunNotFound } from '../../engine/errors.js';
import type { Execution } from '../../engine/execution.js';
import type { ExecutionSummary } from '../../engine/execution-list.js';
import type { Run } from '../../engine/run.js';
import type { Api } from '../api-options.js';

/**
 * True when the request may see a run. Without `authorizeExecution` it may see all that its pipeline has. What is no
 * boolean is no permission, whatever JavaScript's authors meant by it.
 */
export async function maySee(
  ctx: Context,
  { settings: { authorizeExecution } }: Api,
  execution: ExecutionSummary,
): Promise<boolean> {
  if (authorizeExecution === undefined) return true;
  const { id: workflowId, executionId: id, name, status, principal } = execution;
  const { startedAt, completedAt } = execution;
  const answer: unknown = await authorizeExecution(ctx, {
    id,
    workflowId,
    name,
    status,
    startedAt,
    ...(principal !== undefined && { principal }),
    ...(completedAt !== undefined && { completedAt }),
  });
  return answer === true;
}

/**
 * A run as it is now, for a request that may see it.
 *
 * @throws {@link RunNotFound} where there is none, and where the request may not know that there is one
 */
export async function authorizedExecution(ctx: Context, api: Api, run: Run): Promise<Execution> {
  const execution = await run.describe();
  if (!(await maySee(ctx, api, execution))) throw new RunNotFound(run.name, run.executionId);
  return execution;
}
