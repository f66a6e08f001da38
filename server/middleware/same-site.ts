import type { Context } from 'koa';
import { HttpProblem } from '../http-problem.js';
import type { Around } from './chain.js';

/**
 * Refuses what a browser sends for a page of another site. Where nobody authenticates, being reachable is the only
 * permission, and any page that somebody opens could otherwise start runs on their machine with a plain form.
 *
 * @param origins - whose pages may all the same (`cors.origins`)
 * @param remedy - what to do about it
 */
export function sameSiteOnly(
  origins: readonly string[],
  remedy = 'Name its origin in cors.origins, or configure apiAuthentication, to let pages of other sites use this API.',
): Around {
  return async (ctx, next) => {
    if (isForeign(ctx, origins)) {
      throw new HttpProblem(
        403,
        'forbidden',
        `Refused: a page of another site sent this request. ${remedy}`,
      );
    }
    await next();
  };
}

/** True for what a browser sends for a page of another site, unless that is one whose pages may. */
export function isForeign(ctx: Context, origins: readonly string[]): boolean {
  return isCrossing(ctx) && !origins.includes(ctx.get('Origin'));
}

/**
 * Browsers set both headers, and pages cannot; other clients have neither. To a host that is not this machine, browsers send
 * `Sec-Fetch-Site` over HTTPS only; then the page's origin has to be at the host that the request is for.
 */
function isCrossing(ctx: Context): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  // `none` is a person who typed the address.
  if (site !== '') return site !== 'same-origin' && site !== 'none';
  const origin = ctx.get('Origin');
  if (origin === '') return false;
  return !URL.canParse(origin) || new URL(origin).host !== ctx.host.toLowerCase();
}
