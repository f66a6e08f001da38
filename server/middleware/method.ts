import { HttpProblem } from '../http-problem.js';
import type { Handler } from './chain.js';

/**
 * Answers the methods that a path does not have: 405, and OPTIONS with what it has.
 *
 * @param methods - those that it has; HEAD comes with GET
 */
export function methodNotAllowed(methods: readonly string[]): Handler {
  const allow = methods
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ');
  return (ctx) => {
    ctx.set('Allow', allow);
    if (ctx.method !== 'OPTIONS')
      throw new HttpProblem(
        405,
        'method_not_allowed',
        `${ctx.method} is not allowed here. Allowed: ${allow}`,
      );
    ctx.status = 204;
  };
}
