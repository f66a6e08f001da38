import { Router } from '@koa/router';
import type { AuthorizeRecordPipelines } from '../src/config/hooks.js';
import type { ApiOptions, ConfiguredEngine } from './api-options.js';
import { embedded } from './embedding.js';
import { addRecordPipelineRoutes } from './record-pipeline-routes.js';

/** Options of {@link recordPipelineRoutes}. */
export interface RecordPipelineRoutesOptions extends Pick<
  ApiOptions,
  'apiAuthentication' | 'bodyLimit' | 'maxWait' | 'sseClients' | 'keepAlive' | 'log' | 'stop'
> {
  /** Where the list of record pipelines is; each is below it. Default: `/record_pipelines`. */
  readonly path?: string;
  /** As in the configuration, whose hook is used unless this is set. */
  readonly authorizeRecordPipelines?: AuthorizeRecordPipelines;
}

/**
 * A router with the API of record pipelines, for somebody's own Koa app:
 * `app.use(recordPipelineRoutes(engine, { path: '/records', apiAuthentication }).routes())`. Without `apiAuthentication`, here or in
 * the engine's configuration, it restores no version.
 *
 * Like the routers of pipelines, it needs none of the app's middleware, and no body parser must come before it.
 *
 * @throws {@link InvalidDuration} for a `maxWait` or `keepAlive` that is none
 */
export function recordPipelineRoutes(
  engine: ConfiguredEngine,
  options: RecordPipelineRoutesOptions = {},
): Router {
  const { path = '/record_pipelines', authorizeRecordPipelines, ...rest } = options;
  const { api, streams, around } = embedded(engine, rest);
  const settings = {
    ...api.settings,
    ...(authorizeRecordPipelines !== undefined && { authorizeRecordPipelines }),
  };
  const router = new Router({ sensitive: true });
  addRecordPipelineRoutes(router, { ...api, settings }, streams, {
    path: path.replace(/\/+$/, ''),
    around,
  });
  return router;
}
