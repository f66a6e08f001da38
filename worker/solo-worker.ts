import { join } from 'node:path';
import type { Logger } from '../activities/dependencies.js';
import {
  configuredTemporal,
  embeddedNamespace,
  type ConnectionSettings,
} from '../engine/connection.js';
import { findDev, STATE_FOLDER } from '../engine/dev-server/dev-record.js';
import { startDevServer, type DevServer } from '../engine/dev-server/dev-server.js';
import type { Engine } from '../engine/engine.js';
import { embeddedSettings } from '../engine/find-temporal.js';
import { connectWorkerClient, installRuntime } from '../engine/native-connection.js';
import type { Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import { ReloadableWorker } from './project-worker.js';
import { temporalLogger } from './temporal-logger.js';

/** What is in progress when it stops gets so long to end. */
const STOP_GRACE_MS = 1_000;

/** What a process needs that works on its own: a worker, and a Temporal server where there is none. */
export interface SoloWorker {
  readonly engine: Engine;
  readonly taskQueue: string;
  /** Rejects when the worker, or the Temporal server that was started for it, has ended by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** How a {@link SoloWorker} is started. */
export interface SoloWorkerOptions {
  /** What it runs. A server that is started keeps its state in the project's folder. */
  readonly project: Project;
  /** A `millrace dev` that runs in this folder has its server used. */
  readonly devDir: string;
  readonly log: Logger;
  /** Gets what Temporal's SDK and the workflows say. How the run ends, for one, is shown in another way. */
  readonly sdkLog: Logger;
  readonly env: Environment;
  /** All record stores are on this machine, and their relative paths start at this folder; absolute. */
  readonly localStores?: string;
  /** Told what is done when the Temporal CLI has to be fetched first, which takes a while. */
  readonly onProgress: (message: string) => void;
}

/**
 * Starts a worker for a project, on the Temporal server that is configured, else on that of the `millrace dev` which runs, else on one
 * of its own. Nothing is started by time.
 *
 * @throws what {@link startDevServer} and {@link ReloadableWorker.create} throw
 */
export async function startSoloWorker(options: SoloWorkerOptions): Promise<SoloWorker> {
  const { project, log, sdkLog, env, localStores } = options;
  installRuntime(temporalLogger(sdkLog));
  const { settings, own } = await findOrStartTemporal(options);
  try {
    const link = await connectWorkerClient(settings);
    const worker = await ReloadableWorker.create({
      project,
      link,
      log,
      env,
      ...(localStores !== undefined && { localStores }),
      shutdownGraceMs: STOP_GRACE_MS,
      versioned: false,
      schedules: false,
    }).catch(async (error: unknown) => {
      await link.close();
      throw error;
    });
    const failed = failureOf(worker.run(), own);
    // Also a worker that is stopped has ended; nobody waits for it any more then.
    failed.catch(() => undefined);
    const { engine, taskQueue } = worker;
    return { engine, taskQueue, failed, stop: () => worker.stop().finally(() => own?.stop()) };
  } catch (error) {
    await own?.stop();
    throw error;
  }
}

async function findOrStartTemporal({
  project: { dir, config },
  devDir,
  env,
  onProgress,
}: SoloWorkerOptions): Promise<{
  readonly settings: ConnectionSettings;
  readonly own?: DevServer;
}> {
  const { temporal } = config;
  const configured = configuredTemporal(temporal, env);
  if (configured !== undefined) return { settings: configured };
  const dev = await findDev(devDir);
  if (dev?.temporal.embedded === true) return { settings: embeddedSettings(dev.temporal) };
  const state = join(dir, STATE_FOLDER);
  const own = await startDevServer({
    databaseFile: join(state, 'temporal.db'),
    logFile: join(state, 'temporal.log'),
    namespace: embeddedNamespace(temporal, env),
    env: { ...env },
    port: 0,
    uiPort: 0,
    onProgress,
  });
  return { settings: embeddedSettings(own), own };
}

async function failureOf(worker: Promise<void>, server: DevServer | undefined): Promise<never> {
  await Promise.race([worker, server?.exited ?? new Promise(() => undefined)]);
  const log = server === undefined ? '' : `; its log: ${server.logFile}`;
  throw new Error(
    `The Temporal server or the worker ended while the run went on${log}. Start it again: it goes on where it was.`,
  );
}
