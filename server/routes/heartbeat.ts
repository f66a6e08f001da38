import type { Context } from 'koa';
import { CatalogNewer, CatalogUnavailable } from '../../adapters/catalog/catalog-errors.js';
import type { Heartbeat } from '../../engine/data-flow/flow-heartbeat.js';
import type { Api } from '../api-options.js';
import { HttpProblem } from '../http-problem.js';
import { askCatalog } from '../middleware/catalog-errors.js';
import { recordOf } from '../request-record.js';

/**
 * `POST /data_flows/heartbeat` (seed 001): starts every heartbeat flow that is due, and waits for none of them. One that cannot be
 * started is logged, and not counted as triggered; 500 says that the cycle itself failed.
 */
export async function beat(ctx: Context, api: Api): Promise<void> {
  const { due, triggered, failed, at } = await cycle(api);
  const { log } = recordOf(ctx);
  for (const { flow, error } of failed)
    log.error({ err: error, flow }, 'a data flow is due and could not be started');
  if (triggered.length > 0)
    log.info({ runs: triggered.map(({ workflowId }) => workflowId) }, 'the heartbeat started runs');
  ctx.set('Cache-Control', 'no-store');
  ctx.body = {
    flows_due: due.length,
    flows_triggered: triggered.length,
    timestamp: at.toISOString(),
  };
}

async function cycle({ engine }: Api): Promise<Heartbeat> {
  // A project without flows has no catalog, and gets none by being asked.
  if (engine.dataFlowNames.length === 0)
    return { due: [], triggered: [], failed: [], at: new Date() };
  try {
    return await askCatalog(async () => (await engine.dataFlows()).heartbeat());
  } catch (error) {
    const isTold = error instanceof CatalogUnavailable || error instanceof CatalogNewer;
    const reason = isTold ? error.message : "Internal server error; the server's log says more.";
    throw new HttpProblem(500, 'internal_error', `The heartbeat failed: ${reason}`, {
      cause: error,
    });
  }
}
