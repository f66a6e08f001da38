import type { Context } from 'koa';
import type { Run } from '../../engine/run.js';
import { isClosed } from '../../src/progress/status.js';
import type { Json } from '../../src/definition/json.js';
import type { Api } from '../api-options.js';
import { cancelWhenLeft, departureOf } from '../departure.js';
import { HttpProblem } from '../http-problem.js';
import { decideWait, parsePrefer } from '../prefer.js';
import { pathAbove } from '../request-path.js';
import { startRequested } from '../run-request.js';
import { resultWithin } from '../waiting.js';
import { linksOf, type Mounted } from './mount.js';

/** Seconds after which looking at a status again is reasonable. */
export const RETRY_AFTER_S = '1';

/**
 * `POST /pipelines/:name`: runs a pipeline and answers with its result. When that takes longer than the client or the
 * server waits, the answer is 202 and the run goes on; where no route tells its status, there is no such limit.
 */
export async function execute(
  ctx: Context,
  api: Api,
  name: string,
  mounted: Mounted,
): Promise<void> {
  const { run, cancelOnDisconnect } = await startRequested(ctx, api, name);
  const departure = departureOf(ctx);
  if (cancelOnDisconnect) cancelWhenLeft(ctx, departure, run, api.stop);
  const { waitMs, applied } = decideWait(parsePrefer(ctx.get('Prefer')), api.settings.maxWaitMs);
  if (mounted.async && applied !== undefined) ctx.set('Preference-Applied', applied);
  const result = await resultWithin(
    (wait) => run.result(wait),
    mounted.async ? waitMs : undefined,
    [departure, api.stop],
  );
  // Nobody is left to be answered.
  if (departure.aborted) return;
  if (result !== undefined) answer(ctx, run, result);
  else if (mounted.async) await accepted(ctx, run, mounted);
  else
    throw new HttpProblem(
      503,
      'unavailable',
      'The server stops before the run has ended. The run goes on.',
    );
}

function answer(ctx: Context, run: Run, result: Json): void {
  ctx.body = { success: true, result, execution_id: run.executionId };
}

async function accepted(ctx: Context, run: Run, mounted: Mounted): Promise<void> {
  const { status } = await run.describe();
  if (isClosed(status)) {
    // It ended at the last moment; this throws what a run without a result says.
    answer(ctx, run, await run.result());
    return;
  }
  const links = linksOf(pathAbove(ctx, 0), run.executionId, mounted);
  ctx.status = 202;
  ctx.set('Retry-After', RETRY_AFTER_S);
  if (links.status_url !== undefined) ctx.set('Location', links.status_url);
  ctx.body = { execution_id: run.executionId, status, ...links };
}
