import type { Router, RouterContext } from '@koa/router';
import type { Context } from 'koa';
import type { ApiAuthentication, Principal } from '../src/config/hooks.js';
import type { JsonObject } from '../src/definition/json.js';
import { HttpProblem } from './http-problem.js';
import { authentication } from './middleware/authentication.js';
import { within, type Around, type Handler } from './middleware/chain.js';
import { methodNotAllowed } from './middleware/method.js';
import { sameSiteOnly } from './middleware/same-site.js';
import type { Session, Sessions } from './sessions.js';

/** Where browsers get a session. */
export const SESSION_PATH = '/session';

/**
 * Adds `/session`: `POST` gives who authenticates a cookie, `GET` says whose session it is and how long it lasts, `DELETE` ends it.
 *
 * @param authenticate - the project's own: a session does not prolong itself
 */
export function addSessionRoutes(
  router: Router,
  sessions: Sessions,
  authenticate: ApiAuthentication,
): void {
  const serve = (handler: Handler, ...around: readonly Around[]) => {
    const served = within([notKept, ...around], handler);
    return (ctx: RouterContext) => served(ctx);
  };
  // A page of another site must not give somebody another session than they believe to have, nor end it.
  const ownPages = sameSiteOnly(
    sessions.origins,
    'Name its origin in cors.origins, and set cors.credentials, to let its pages have sessions.',
  );
  router.get('session', SESSION_PATH, serve(show(sessions)));
  router.post(
    SESSION_PATH,
    serve(
      async (ctx) => {
        // The middleware has put it there.
        const session = await sessions.open(ctx, ctx.state['principal'] as Principal);
        ctx.status = 201;
        ctx.body = sessionBody(session);
      },
      ownPages,
      authentication(authenticate),
    ),
  );
  router.delete(
    SESSION_PATH,
    serve((ctx) => {
      sessions.close(ctx);
      ctx.status = 204;
    }, ownPages),
  );
  router.all(SESSION_PATH, serve(methodNotAllowed(['GET', 'POST', 'DELETE'])));
}

function show(sessions: Sessions): Handler {
  return async (ctx) => {
    const session = await sessions.of(ctx);
    if (session === undefined) throw new HttpProblem(401, 'unauthorized', 'Unauthorized');
    ctx.body = sessionBody(session);
  };
}

function sessionBody({ principal, expiresAt }: Session): JsonObject {
  const id = typeof principal === 'string' ? principal : principal.id;
  return { principal: id, expires_at: expiresAt.toISOString() };
}

async function notKept(ctx: Context, next: () => Promise<void>): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  await next();
}
