import { Router } from '@koa/router';
import type { AuthorizeAttributes } from '../../src/config/hooks.js';
import type { ApiOptions, ConfiguredEngine } from '../api-options.js';
import { embedded } from '../embedding.js';
import { addAttributeRoutes } from './attribute-routes.js';

/** Options of {@link attributeRoutes}. */
export interface AttributeRoutesOptions extends Pick<
  ApiOptions,
  'apiAuthentication' | 'bodyLimit' | 'maxWait' | 'sseClients' | 'keepAlive' | 'log' | 'stop'
> {
  /** What comes before `/entity_types` and the others. Default: nothing. */
  readonly path?: string;
  /** As in the configuration, whose hook is used unless this is set. */
  readonly authorizeAttributes?: AuthorizeAttributes;
}

/**
 * A router with the API of entities, attributes and the pipelines that compute them, for somebody's own Koa app:
 * `app.use(attributeRoutes(engine, { path: '/catalog', apiAuthentication }).routes())`.
 *
 * Like the routers of pipelines, it needs none of the app's middleware, and no body parser must come before it.
 *
 * @throws {@link InvalidDuration} for a `keepAlive` that is none
 */
export function attributeRoutes(
  engine: ConfiguredEngine,
  options: AttributeRoutesOptions = {},
): Router {
  const { path = '', authorizeAttributes, ...rest } = options;
  const { api, streams, around } = embedded(engine, rest);
  const settings = {
    ...api.settings,
    ...(authorizeAttributes !== undefined && { authorizeAttributes }),
  };
  const router = new Router({ sensitive: true });
  addAttributeRoutes(router, { ...api, settings }, streams, {
    path: path.replace(/\/+$/, ''),
    around,
  });
  return router;
}
