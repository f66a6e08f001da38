import cors from '@koa/cors';
import type { Middleware } from 'koa';

/** What pages of other sites may read of a response beside its body and the headers that they always may. */
const EXPOSED_HEADERS: readonly string[] = [
  'X-Request-Id',
  'X-Execution-Id',
  'Location',
  'Retry-After',
  'Preference-Applied',
  'Idempotency-Replayed',
  'WWW-Authenticate',
];

/** How long a browser remembers what a preflight request said, in seconds. */
const PREFLIGHT_MAX_AGE_S = 600;

/** Tells browsers which other sites' pages may use the API (CORS), and answers their preflight requests. */
export function crossOrigin({
  origins,
  credentials,
}: {
  readonly origins: readonly string[];
  readonly credentials: boolean;
}): Middleware {
  return cors({
    origin: (ctx) => {
      const origin = ctx.get('Origin');
      return origins.includes(origin) ? origin : '';
    },
    credentials,
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposeHeaders: [...EXPOSED_HEADERS],
    maxAge: PREFLIGHT_MAX_AGE_S,
  });
}
