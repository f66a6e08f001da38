import { InvalidArgumentError, type Command } from 'commander';
import type { ProjectConfig } from '../src/config/project-config.js';
import type { Project } from '../engine/project/load-project.js';

const HIGHEST_PORT = 65_535;

/** What is told where the HTTP API has no pipeline. */
export const NO_ROUTES =
  'No pipeline has a route: set catchAllRoutes: true, or name some in routes, in millrace.config.ts.';

/** True where the HTTP API serves nothing of a project: no pipeline, no data flow and no record pipeline. */
export function lacksRoutes({ config, registry }: Pick<Project, 'config' | 'registry'>): boolean {
  if (config.catchAllRoutes || config.routes.length > 0) return false;
  if (config.recordPipelines.routes && registry.recordPipelines.size > 0) return false;
  return !config.dataFlows.routes || registry.dataFlows.size === 0;
}

/** Where a command listens, as its options say. */
export interface ListenOptions {
  readonly port?: number;
  readonly host?: string;
  readonly insecure: boolean;
}

/** Adds `--port`, `--host` and `--insecure`. */
export function addListenOptions(command: Command): Command {
  return command
    .option(
      '-p, --port <n>',
      'HTTP port; 0 takes a free one (default: MILLRACE_PORT, else server.port, else 8787)',
      parsePort,
    )
    .option('--host <address>', 'address to listen on (default: server.host, else 127.0.0.1)')
    .option(
      '--insecure',
      'listen on another than a loopback address without apiAuthentication',
      false,
    );
}

/** The port to listen on. The configuration has that of `MILLRACE_PORT`. */
export function portOf({ port }: ListenOptions, config: ProjectConfig): number {
  return port ?? config.server.port;
}

/** Reads a port from the command line. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= HIGHEST_PORT) return port;
  throw new InvalidArgumentError(`Write a port, 0 to ${String(HIGHEST_PORT)}.`);
}
