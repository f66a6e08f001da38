import { HttpProblem } from '../http-problem.js';
import type { Around } from './chain.js';

/**
 * Refuses what a browser sends for a page of another site. Where nobody authenticates, being reachable is the only
 * permission, and any page that somebody opens could otherwise start runs on their machine with a plain form.
 */
export const sameSiteOnly: Around = async (ctx, next) => {
  // Browsers set it, and pages cannot; other clients have none. `none` is a person who typed the address.
  const site = ctx.get('Sec-Fetch-Site');
  if (site === 'cross-site' || site === 'same-site') {
    const remedy = 'Configure apiAuthentication to let pages of other sites use this API.';
    throw new HttpProblem(
      403,
      'forbidden',
      `Refused: a page of another site sent this request. ${remedy}`,
    );
  }
  await next();
};
