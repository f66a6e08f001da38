import { join } from 'node:path';
import {
  configuredTemporal,
  embeddedNamespace,
  type ConnectionSettings,
} from '../../engine/connection.js';
import { startDevServer, type DevServer } from '../../engine/dev-server/dev-server.js';
import { STATE_FOLDER } from '../../engine/dev-server/dev-record.js';
import { embeddedSettings } from '../../engine/find-temporal.js';
import type { Project } from '../../engine/project/load-project.js';
import type { Environment } from '../../engine/project/secrets.js';

/** How the embedded server is to be started. */
export interface DevTemporalOptions {
  readonly env: Environment;
  /** Preferred port of the web UI, 0 for any; false: none. */
  readonly uiPort?: number | false;
  /** Any free ports rather than Temporal's usual ones. */
  readonly anyPort: boolean;
  readonly onProgress: (message: string) => void;
  readonly signal: AbortSignal;
}

/** The Temporal server of a `millrace dev`. */
export interface DevTemporal {
  readonly settings: ConnectionSettings;
  /** The server that was started; absent where one was configured. */
  readonly embedded?: DevServer;
}

/** The configured Temporal server, or one of our own whose state is kept in the project. */
export async function devTemporal(
  project: Project,
  options: DevTemporalOptions,
): Promise<DevTemporal> {
  const { env, uiPort, anyPort, onProgress, signal } = options;
  const { temporal } = project.config;
  const configured = configuredTemporal(temporal, env);
  if (configured !== undefined) return { settings: configured };
  const state = join(project.dir, STATE_FOLDER);
  const embedded = await startDevServer({
    databaseFile: join(state, 'temporal.db'),
    logFile: join(state, 'temporal.log'),
    namespace: embeddedNamespace(temporal, env),
    env: { ...env },
    ...(anyPort && { port: 0 }),
    uiPort: uiPort ?? (anyPort ? 0 : undefined),
    onProgress,
    signal,
  });
  return { settings: embeddedSettings(embedded), embedded };
}
