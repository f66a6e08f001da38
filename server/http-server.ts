import type { Engine } from '../engine/engine.js';
import { resolveReferences, secretSources, type Environment } from '../engine/project/secrets.js';
import type { ProjectConfig } from '../src/config/project-config.js';
import { createApp, type AppDependencies } from './app.js';
import { startListener, type HttpServer } from './http-listener.js';
import { isLoopback } from './loopback.js';

/** Asked to listen where others can reach it, without anything that asks them who they are. */
export class UnauthenticatedListen extends Error {
  override readonly name = 'UnauthenticatedListen';
  constructor(readonly host: string) {
    super(
      `refusing to listen on ${host}: it is no loopback address, and without apiAuthentication anybody who reaches it could ` +
        'run pipelines. Set apiAuthentication in the configuration, listen on 127.0.0.1, or say --insecure.',
    );
  }
}

/** What the server needs beside the engine and the configuration. */
export interface HttpServerOptions extends Omit<
  AppDependencies,
  'stop' | 'loopbackOnly' | 'heartbeatToken' | 'sessionSecrets' | 'approvalSecrets'
> {
  /** Listen on another than a loopback address without authentication. */
  readonly insecure?: boolean;
  /** Default: the configuration's. */
  readonly host?: string;
  /** 0 takes a free one. Default: the configuration's. */
  readonly port?: number;
  /** Where references of the configuration find what they stand for; the environment of the process unless set. */
  readonly env?: Environment;
}

/**
 * Listens with the whole HTTP API.
 *
 * @throws {@link UnauthenticatedListen}, {@link ListenFailed}; {@link UnresolvedReferences} and {@link HeartbeatTokenInvalid} where
 *   the heartbeat is to be authenticated, and its token cannot be found or is none; {@link SessionSecretInvalid} and
 *   {@link ApprovalSecretInvalid} likewise
 */
export async function startHttpServer(
  engine: Engine,
  config: ProjectConfig,
  options: HttpServerOptions = {},
): Promise<HttpServer> {
  const {
    insecure = false,
    host = config.server.host,
    port = config.server.port,
    env = process.env,
    ...dependencies
  } = options;
  if (config.apiAuthentication === undefined && !insecure && !isLoopback(host))
    throw new UnauthenticatedListen(host);
  const stopping = new AbortController();
  const secrets = await resolveReferences(secretsOf(config), secretSources({ config }, env));
  const app = createApp(engine, config, {
    ...dependencies,
    ...secrets,
    stop: stopping.signal,
    loopbackOnly: !insecure && isLoopback(host),
  });
  return startListener(app, { host, port, stopping });
}

/** What the server itself keeps secret, as the configuration writes it. */
function secretsOf({
  dataFlows,
  sessions,
  approvals,
}: ProjectConfig): Pick<AppDependencies, 'heartbeatToken' | 'sessionSecrets' | 'approvalSecrets'> {
  const { authenticationEnabled, authenticationToken } = dataFlows.heartbeat;
  return {
    sessionSecrets: sessions?.secrets ?? [],
    approvalSecrets: approvals?.secrets ?? [],
    ...(authenticationEnabled &&
      authenticationToken !== undefined && { heartbeatToken: authenticationToken }),
  };
}
