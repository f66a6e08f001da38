import type { ApiAuthentication } from '../../src/config/hooks.js';
import { HttpProblem } from '../http-problem.js';
import { recordOf } from '../request-record.js';
import type { Around } from './chain.js';

/** Longest id of a principal, in characters: it is stored with each run. */
export const MAX_PRINCIPAL_LENGTH = 500;

/** An `apiAuthentication` that answered with something that is no principal. */
export class InvalidPrincipal extends Error {
  override readonly name = 'InvalidPrincipal';
  constructor(readonly answer: unknown) {
    super(
      `apiAuthentication answered with ${answer === null ? 'null' : typeof answer}. It must answer false, a non-empty string ` +
        `of at most ${String(MAX_PRINCIPAL_LENGTH)} characters, or an object with such an id.`,
    );
  }
}

/** Asks who makes a request; without somebody to ask, everybody may. */
export function authentication(authenticate: ApiAuthentication | undefined): Around {
  return async (ctx, next) => {
    if (authenticate !== undefined) {
      const answer = await authenticate(ctx);
      const principal = principalOf(answer);
      if (principal === undefined) throw new HttpProblem(401, 'unauthorized', 'Unauthorized');
      recordOf(ctx).principal = principal;
      // Hooks find there who asks, as Koa's own middleware would tell them.
      ctx.state['principal'] = answer;
    }
    await next();
  };
}

/** JavaScript's authors may answer whatever they like, so that more is looked at than the type allows. */
function principalOf(answer: unknown): string | undefined {
  if (answer === false || answer === undefined || answer === null || answer === '')
    return undefined;
  const id: unknown = typeof answer === 'object' && 'id' in answer ? answer.id : answer;
  if (typeof id !== 'string' || id === '' || id.length > MAX_PRINCIPAL_LENGTH)
    throw new InvalidPrincipal(answer);
  return id;
}
