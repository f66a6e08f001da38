import { parseConfig, type ProjectConfig } from '../src/config/project-config.js';
import { DefinitionError } from '../src/definition/problem.js';
import type { ConfiguredEngine } from './api-options.js';
import type { HttpServer } from './http-listener.js';
import { startHttpServer, type HttpServerOptions } from './http-server.js';

/**
 * Serves the whole HTTP API, as `millrace server` does, until `stop()`. Settings come from the engine's configuration
 * (`catchAllRoutes`, `server`, `apiAuthentication`, …), host and port from the options where they have them.
 *
 * @example
 * ```ts
 * const engine = await createEngine();
 * const server = await startServer(engine, { port: 0 });
 * ```
 *
 * @throws {@link UnauthenticatedListen}, {@link ListenFailed}
 */
export async function startServer(
  engine: ConfiguredEngine,
  options: HttpServerOptions = {},
): Promise<HttpServer> {
  return startHttpServer(engine, engine.config ?? defaults(), options);
}

function defaults(): ProjectConfig {
  const { config, problems } = parseConfig({});
  if (config === undefined) throw new DefinitionError(problems);
  return config;
}
