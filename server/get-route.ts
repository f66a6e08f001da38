import type { Router, RouterContext } from '@koa/router';
import { within, type Around, type Handler } from './middleware/chain.js';
import { methodNotAllowed } from './middleware/method.js';

/** A path that can be read and nothing else. */
export interface GetRoute {
  /** For `router.url()`. */
  readonly name: string;
  readonly path: string;
  readonly around: readonly Around[];
  readonly handler: Handler;
}

/** Adds a `GET` route, and 405 for other methods. */
export function addGetRoute(router: Router, { name, path, around, handler }: GetRoute): void {
  const serve = (inner: Handler) => (ctx: RouterContext) => within(around, inner)(ctx);
  router.get(name, path, serve(handler));
  router.all(path, serve(methodNotAllowed(['GET'])));
}
