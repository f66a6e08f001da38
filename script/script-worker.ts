import { join } from 'node:path';
import type { Logger } from '../activities/dependencies.js';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import { createLogger } from '../cli/logger.js';
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
import { definedProject } from '../engine/project/defined-project.js';
import type { Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import type { Services } from '../src/pipeline/context.js';
import type { RecordPipeline } from '../src/record-pipeline/record-pipeline.js';
import { ReloadableWorker } from '../worker/project-worker.js';
import { temporalLogger } from '../worker/temporal-logger.js';

/** Bodies in progress when the script is done get so long to end. */
const STOP_GRACE_MS = 1_000;

/** What a script works with. */
export interface ScriptWorker {
  readonly engine: Engine;
  /** Of the runs of this pipeline on this store that scripts have begun. */
  readonly taskQueue: string;
  /** Rejects when the worker, or the Temporal server that was started for it, has ended by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** How a script works. */
export interface ScriptWorkerOptions {
  readonly services?: Partial<Services>;
  readonly log?: Logger;
  readonly env?: Environment;
}

/** The Temporal server that a script uses. */
interface ScriptTemporal {
  readonly settings: ConnectionSettings;
  /** The one that was started for it; absent where one was there. */
  readonly own?: DevServer;
}

/** Starts a worker for one record pipeline, and a Temporal server where there is none. */
export async function startScriptWorker(
  pipeline: RecordPipeline<never> | RecordPipeline<object>,
  store: SqliteStore,
  { services, env = process.env, log = warnings(env) }: ScriptWorkerOptions,
): Promise<ScriptWorker> {
  const base = process.cwd();
  store.startAt(base);
  store.open();
  const taskQueue = `millrace/script/${store.id}/${pipeline.name}`;
  const project = scriptProject(pipeline, store.dir, taskQueue, services);
  installRuntime(temporalLogger(log));
  const { settings, own } = await findOrStartTemporal(project, base, env);
  try {
    const link = await connectWorkerClient(settings);
    const worker = await ReloadableWorker.create({
      project,
      link,
      log,
      env,
      localStores: base,
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
    return {
      engine: worker.engine,
      taskQueue,
      failed,
      stop: () => worker.stop().finally(() => own?.stop()),
    };
  } catch (error) {
    await own?.stop();
    throw error;
  }
}

function scriptProject(
  pipeline: RecordPipeline<never> | RecordPipeline<object>,
  dir: string,
  asyncQueue: string,
  services: Partial<Services> | undefined,
): Project {
  const config = { asyncQueue, ...(services !== undefined && { services }) };
  return definedProject({ recordPipelines: [pipeline] }, { dir, config });
}

async function findOrStartTemporal(
  { dir, config: { temporal } }: Project,
  base: string,
  env: Environment,
): Promise<ScriptTemporal> {
  const configured = configuredTemporal(temporal, env);
  if (configured !== undefined) return { settings: configured };
  const dev = await findDev(base);
  if (dev?.temporal.embedded === true) return { settings: embeddedSettings(dev.temporal) };
  const state = join(dir, STATE_FOLDER);
  const own = await startDevServer({
    databaseFile: join(state, 'temporal.db'),
    logFile: join(state, 'temporal.log'),
    namespace: embeddedNamespace(temporal, env),
    env: { ...env },
    port: 0,
    uiPort: 0,
    onProgress: (message) => {
      process.stderr.write(`  ${message}\n`);
    },
  });
  return { settings: embeddedSettings(own), own };
}

async function failureOf(worker: Promise<void>, server: DevServer | undefined): Promise<never> {
  await Promise.race([worker, server?.exited ?? new Promise(() => undefined)]);
  throw new Error(
    `The Temporal server or the worker ended while the run went on${server === undefined ? '' : `; its log: ${server.logFile}`}. Start the script again: it goes on where it was.`,
  );
}

/** A script has its own words for how it goes on. */
function warnings(env: Environment): Logger {
  const { stderr: stream } = process;
  return createLogger({ debug: false, env: { MILLRACE_LOG_LEVEL: 'warn', ...env }, stream });
}
