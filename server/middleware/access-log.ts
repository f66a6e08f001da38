import { recordOf } from '../request-record.js';
import type { Around } from './chain.js';

/** Logs one line per request, when its response has been sent or its client has left. */
export const accessLog: Around = async (ctx, next) => {
  const record = recordOf(ctx);
  const { method } = ctx;
  // Without its query, which may hold what should not be in logs: a webhook's token.
  const path = ctx.originalUrl.replace(/\?.*$/s, '');
  ctx.res.once('close', () => {
    const { log, startedAt, principal, executionId } = record;
    const line = {
      method,
      path,
      status: ctx.res.statusCode,
      ms: Math.round(performance.now() - startedAt),
      ...(principal !== undefined && { principal }),
      ...(executionId !== undefined && { executionId }),
      ...(!ctx.res.writableFinished && { aborted: true }),
    };
    log.info(line, 'request');
  });
  await next();
};
