import { HttpProblem } from '../http-problem.js';
import type { Around } from './chain.js';

/**
 * Refuses what a browser sends for a page of another site. Where nobody authenticates, being reachable is the only
 * permission, and any page that somebody opens could otherwise start runs on their machine with a plain form.
 *
 * @param origins - whose pages may all the same (`cors.origins`)
 */
export function sameSiteOnly(origins: readonly string[]): Around {
  return async (ctx, next) => {
    // Browsers set both headers, and pages cannot; other clients have none. `none` is a person who typed the address.
    const site = ctx.get('Sec-Fetch-Site');
    const crossing = site === 'cross-site' || site === 'same-site';
    if (crossing && !origins.includes(ctx.get('Origin'))) {
      const remedy =
        'Name its origin in cors.origins, or configure apiAuthentication, to let pages of other sites use this API.';
      throw new HttpProblem(
        403,
        'forbidden',
        `Refused: a page of another site sent this request. ${remedy}`,
      );
    }
    await next();
  };
}
