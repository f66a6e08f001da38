import { HttpProblem } from '../http-problem.js';
import { isLoopback } from '../loopback.js';
import type { Around } from './chain.js';

/**
 * Refuses requests that name another host than this machine. A page of a name that its owner lets resolve to 127.0.0.1 (DNS
 * rebinding) is of the same site as this server to a browser; only the `Host` header tells what the browser believes.
 */
export const loopbackHostOnly: Around = async (ctx, next) => {
  if (!isLoopback(ctx.hostname)) {
    const remedy =
      'Configure apiAuthentication, or start with --insecure behind a proxy that authenticates.';
    throw new HttpProblem(
      403,
      'forbidden',
      `Refused: this server is for its own machine only, and the request is for the host "${ctx.hostname}". ${remedy}`,
    );
  }
  await next();
};
