import type { Context } from 'koa';
import { requeueDeadLetter } from '../../engine/dead-letters.js';
import type { Api } from '../api-options.js';
import { authorizedExecution } from '../middleware/authorization.js';
import { pathAbove } from '../request-path.js';
import { recordOf } from '../request-record.js';
import { exposedRun } from './executions.js';
import { linksOf, type Mounted } from './mount.js';

/**
 * `POST …/executions/:id/requeue`: starts a task again that a limit has set aside.
 *
 * @throws {@link NoDeadLetter} (409), {@link RunNotFound} (404), {@link ContractViolation} (422)
 */
export async function requeue(
  ctx: Context,
  api: Api,
  target: { readonly name: string; readonly executionId: string },
  mounted: Mounted,
): Promise<void> {
  const { name, executionId } = target;
  await authorizedExecution(ctx, api, exposedRun(ctx, api, name, executionId));
  const { principal } = recordOf(ctx);
  const run = await requeueDeadLetter(
    api.engine,
    name,
    executionId,
    principal === undefined ? {} : { principal },
  );
  ctx.status = 202;
  ctx.set('X-Execution-Id', run.executionId);
  if (run.attached) ctx.set('Idempotency-Replayed', 'true');
  ctx.body = {
    execution_id: run.executionId,
    requeues: executionId,
    ...linksOf(pathAbove(ctx, 3), run.executionId, mounted),
  };
}
