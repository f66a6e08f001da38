import { Router } from '@koa/router';
import type { HeartbeatSettings } from '../src/config/config.js';
import type { AuthorizeDataFlows } from '../src/config/hooks.js';
import type { ApiOptions, ConfiguredEngine } from './api-options.js';
import { addDataFlowRoutes, addHeartbeatRoute } from './data-flow-routes.js';
import { embedded } from './embedding.js';
import { heartbeatGuards, type HeartbeatGuards } from './heartbeat-guards.js';
import { authentication } from './middleware/authentication.js';
import { checkHeartbeatToken, type HeartbeatToken } from './middleware/heartbeat-authentication.js';

/**
 * The heartbeat's options for a router in somebody's own app. What is not set comes from the engine's configuration, where it has
 * one; the token does not, since the configuration has a reference to it only.
 */
export interface HeartbeatOptions extends Omit<HeartbeatSettings, 'authenticationToken'> {
  /** The token, or a function that is called for each heartbeat. Being there, it is asked for. An empty one is refused. */
  readonly authenticationToken?: HeartbeatToken;
}

/** Options of {@link dataFlowRoutes}. */
export interface DataFlowRoutesOptions extends Pick<
  ApiOptions,
  'apiAuthentication' | 'bodyLimit' | 'sseClients' | 'keepAlive' | 'log' | 'stop'
> {
  /** Where the list of data flows is; each is below it. Default: `/data_flows`. */
  readonly path?: string;
  /** As in the configuration, whose hook is used unless this is set. */
  readonly authorizeDataFlows?: AuthorizeDataFlows;
  /** Where the heartbeat is, and who may send it; `false`: it is not served. Its path is `<path>/heartbeat` unless set. */
  readonly heartbeat?: HeartbeatOptions | false;
}

/**
 * A router with the API of data flows and their heartbeat, for somebody's own Koa app:
 * `app.use(dataFlowRoutes(engine, { path: '/flows', heartbeat: { authenticationToken: token } }).routes())`.
 *
 * Like the routers of pipelines, it needs none of the app's middleware, and no body parser must come before it.
 *
 * @throws {@link HeartbeatTokenInvalid} for a heartbeat that is to be authenticated and has no usable token
 * @throws TypeError for an address that is none, {@link InvalidDuration} for a `keepAlive` that is none
 */
export function dataFlowRoutes(
  engine: ConfiguredEngine,
  options: DataFlowRoutesOptions = {},
): Router {
  const { path = '/data_flows', heartbeat = {}, authorizeDataFlows, ...rest } = options;
  const base = path.replace(/\/+$/, '');
  const { api, streams, before } = embedded(engine, rest);
  const { apiAuthentication } = api.settings;
  const settings = {
    ...api.settings,
    ...(authorizeDataFlows !== undefined && { authorizeDataFlows }),
  };
  const router = new Router({ sensitive: true });
  if (heartbeat !== false) {
    const guards = guardsOf(engine, heartbeat);
    addHeartbeatRoute(router, api, {
      path: heartbeat.endpointPath ?? `${base}/heartbeat`,
      around: [
        ...before,
        ...heartbeatGuards({
          ...guards,
          ...(apiAuthentication !== undefined && { apiAuthentication }),
        }),
      ],
      isServed: () => true,
    });
  }
  addDataFlowRoutes(router, { ...api, settings }, streams, {
    path: base,
    around: [...before, authentication(apiAuthentication)],
  });
  return router;
}

function guardsOf({ config }: ConfiguredEngine, options: HeartbeatOptions): HeartbeatGuards {
  const configured = config?.dataFlows.heartbeat;
  // A variable that is not set gives an option that is there, and undefined: somebody wanted a token.
  const hasToken = 'authenticationToken' in options;
  const {
    authenticationEnabled = hasToken || (configured?.authenticationEnabled ?? false),
    authenticationToken,
    whitelistedIps = configured?.whitelistedIps ?? [],
    ipWhitelistingEnabled = options.whitelistedIps !== undefined ||
      (configured?.ipWhitelistingEnabled ?? false),
    trustProxy = configured?.trustProxy ?? [],
  } = options;
  return {
    ...(authenticationEnabled && { token: usable(authenticationToken) }),
    ...(ipWhitelistingEnabled && { allowedIps: whitelistedIps }),
    trustProxy,
  };
}

function usable(token: HeartbeatToken | undefined): HeartbeatToken {
  return typeof token === 'function' ? token : checkHeartbeatToken(token);
}
