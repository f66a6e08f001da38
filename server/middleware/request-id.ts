import type { Logger } from 'pino';
import { ulid } from 'ulid';
import { keepRecord } from '../request-record.js';
import type { Around } from './chain.js';

/** What a client or a proxy may call a request: short, and safe in logs and headers. */
const SANE = /^[\w.:~-]{1,128}$/;

/** Gives each request an id, its own `X-Request-Id` where that is sane, and sends it back. */
export function requestId(log: Logger): Around {
  return async (ctx, next) => {
    const given = ctx.get('X-Request-Id');
    const id = SANE.test(given) ? given : ulid();
    ctx.set('X-Request-Id', id);
    keepRecord(ctx, { id, log: log.child({ requestId: id }), startedAt: performance.now() });
    await next();
  };
}
