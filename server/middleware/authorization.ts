import type { Context } from 'koa';
import { RunNotFound } from '../../engine/errors.js';
import type { Execution } from '../../engine/execution.js';
import type { ExecutionSummary } from '../../engine/execution-list.js';
import type { Run } from '../../engine/run.js';
import type { Api } from '../api-options.js';
import { HttpProblem } from '../http-problem.js';

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
 * Asks a hook whether a request may do something. What is no boolean is no permission, whatever JavaScript's authors meant by it.
 *
 * @throws {@link HttpProblem} 403
 */
export async function permit<R>(
  ctx: Context,
  hook: ((ctx: Context, requested: R) => boolean | Promise<boolean>) | undefined,
  requested: R,
): Promise<void> {
  if (hook === undefined) return;
  const answer: unknown = await hook(ctx, requested);
  if (answer !== true) throw new HttpProblem(403, 'forbidden', 'Forbidden');
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
