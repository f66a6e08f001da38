import type { Context } from 'koa';
import type { Api } from '../api-options.js';
import { pathAbove } from '../request-path.js';
import { startRequested } from '../run-request.js';
import { RETRY_AFTER_S } from './execute.js';
import { linksOf, type Mounted } from './mount.js';

/** `POST /pipelines/:name/async`: starts a run and answers at once. An attached run's real status is at `status_url`. */
export async function executeAsync(
  ctx: Context,
  api: Api,
  name: string,
  mounted: Mounted,
): Promise<void> {
  const { run, webhookUrl } = await startRequested(ctx, api, name);
  const links = linksOf(pathAbove(ctx, 1), run.executionId, mounted);
  ctx.status = 202;
  ctx.set('Retry-After', RETRY_AFTER_S);
  if (links.status_url !== undefined) ctx.set('Location', links.status_url);
  ctx.body = {
    execution_id: run.executionId,
    status: 'pending',
    ...links,
    ...(webhookUrl !== undefined && { webhook_url: webhookUrl }),
  };
}
