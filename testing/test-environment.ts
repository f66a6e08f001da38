import pino from 'pino';
import { ulid } from 'ulid';
import type { Logger } from '../activities/dependencies.js';
import { configuredTemporal, type ConnectionSettings } from '../engine/connection.js';
import type { ConnectedEngine } from '../engine/create-engine.js';
import { embeddedSettings } from '../engine/find-temporal.js';
import { connectWorkerClient, installRuntime } from '../engine/native-connection.js';
import type { Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import type { ConfigDefinition } from '../src/config/config.js';
import type { ModelReference, Services } from '../src/pipeline/context.js';
import { ReloadableWorker, type ProjectWorker } from '../worker/project-worker.js';
import type { ProjectWorkerOptions } from '../worker/project-worker-options.js';
import { temporalLogger } from '../worker/temporal-logger.js';
import { TestCatalog } from './test-catalog.js';
import { testProject, type TestSources } from './test-project.js';
import { startTestServer, type TestServer } from './test-server.js';

/** Operations that are in progress when a test environment stops get so long. */
const STOP_GRACE_MS = 1_000;

/** What {@link createTestEnvironment} takes beside what it runs. */
export interface TestEnvironmentSettings {
  /** Wins over what the project's config says, option by option. `temporal` names a server to use. */
  readonly config?: ConfigDefinition;
  /** Doubles of services: they take the place of all that the config has, which are not built. */
  readonly services?: Partial<Services>;
  /** Doubles of language models, by their names in config.yml. */
  readonly models?: Readonly<Record<string, Omit<ModelReference, 'name'>>>;
  /** The environment to read `TEMPORAL_*` and `${ENV}` from; that of the process unless set. */
  readonly env?: Environment;
  /** Gets every line; a pino logger fits. Default: silent. */
  readonly log?: Logger;
}

/** What {@link createTestEnvironment} takes. */
export type TestEnvironmentOptions = TestSources & TestEnvironmentSettings;

/** A project at work on a real Temporal server, on a task queue that nobody else has. */
export interface TestEnvironment {
  /** Starts, watches, lists and cancels runs. Give it to `createRouter` to test routes. */
  readonly engine: ConnectedEngine;
  /** The worker that executes them; `worker.temporal` is everything of Temporal's own. */
  readonly worker: ProjectWorker;
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Ends the worker, the connection, and the server if it was started for this environment. May be called more than once. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Puts a project, or some definitions, to work on a real Temporal and a catalog of its own: that of `TEMPORAL_ADDRESS` or of `config.temporal`
 * where one is set, else a dev server of its own, in memory. A server that only `temporal.toml` or the project's own
 * config names is never used. Nothing is started by time: call `(await env.engine.dataFlows()).run(…)` or `heartbeat()`.
 *
 * @example
 * ```ts
 * const env = await createTestEnvironment({ pipelines: [wordReport] });
 * const { result } = await env.engine.execute(wordReport, { text: 'one two' });
 * await env.stop();
 * ```
 *
 * @throws {@link DefinitionError} with every problem of the project, {@link DevServerUnavailable},
 *   {@link TemporalUnreachable}, {@link TemporalRefused}, {@link NamespaceNotFound}, {@link UnresolvedReferences}, {@link ServicesFailed}
 */
export async function createTestEnvironment(
  options: TestEnvironmentOptions,
): Promise<TestEnvironment> {
  const { env = process.env, log = pino({ level: 'silent' }), config = {} } = options;
  const models = modelDoubles(options);
  const taskQueue = config.asyncQueue ?? `test-${ulid()}`;
  const catalog = config.catalog === undefined ? await TestCatalog.create() : undefined;
  const loaded = await testProject(options, {
    config: { ...config, asyncQueue: taskQueue, ...(catalog && { catalog: catalog.settings }) },
    env,
    models,
  }).catch(async (error: unknown) => {
    await catalog?.remove();
    throw error;
  });
  const project = withServices(loaded, options.services);
  installRuntime(temporalLogger(log));
  const configured = explicitTemporal(config, env);
  const { namespace } = config.temporal ?? {};
  const server =
    configured === undefined
      ? await startTestServer(namespace === undefined ? {} : { namespace })
      : undefined;
  try {
    const settings = configured ?? (server && embeddedSettings(server));
    if (settings === undefined) throw new TypeError('there is a server where none is configured');
    const worker = await startWorker(settings, { project, env, log, models });
    return new RunningEnvironment(worker, server, catalog);
  } catch (error) {
    await server?.stop();
    await catalog?.remove();
    throw error;
  }
}

/** A worker that has begun to work, and what belongs to it. */
class RunningEnvironment implements TestEnvironment {
  readonly engine: ConnectedEngine;
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly #server: TestServer | undefined;
  readonly #catalog: TestCatalog | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    readonly worker: ProjectWorker,
    server: TestServer | undefined,
    catalog: TestCatalog | undefined,
  ) {
    this.engine = worker.engine;
    this.address = worker.temporal.address;
    this.namespace = worker.temporal.namespace;
    this.taskQueue = worker.taskQueue;
    this.#server = server;
    this.#catalog = catalog;
  }

  async stop(): Promise<void> {
    await (this.#stopped ??= this.worker
      .stop()
      .finally(() => this.#server?.stop())
      .finally(() => this.#catalog?.remove()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function startWorker(
  settings: ConnectionSettings,
  options: Pick<ProjectWorkerOptions, 'project' | 'env' | 'log' | 'models'>,
): Promise<ProjectWorker> {
  const link = await connectWorkerClient(settings);
  const worker = await ReloadableWorker.create({
    ...options,
    link,
    shutdownGraceMs: STOP_GRACE_MS,
    versioned: false,
    // Its schedule would outlive the test.
    schedules: false,
  }).catch(async (error: unknown) => {
    await link.close();
    throw error;
  });
  // stop() tells of a worker that failed.
  worker.run().catch(() => undefined);
  return worker;
}

/** The server that somebody has chosen for tests; undefined where it would only be the one that the project runs on. */
function explicitTemporal(
  { temporal = {} }: ConfigDefinition,
  env: Environment,
): ConnectionSettings | undefined {
  const chosen = [temporal.address, temporal.profile, env['TEMPORAL_ADDRESS']];
  return chosen.some((text) => text !== undefined && text !== '')
    ? configuredTemporal(temporal, env)
    : undefined;
}

function modelDoubles({
  models = {},
}: TestEnvironmentSettings): ReadonlyMap<string, ModelReference> {
  return new Map(Object.entries(models).map(([name, model]) => [name, { ...model, name }]));
}

/** With doubles there is nothing of the config's own to build or to close. */
function withServices(project: Project, services: Partial<Services> | undefined): Project {
  if (services === undefined) return project;
  const { disposeServices: _, ...config } = project.config;
  return { ...project, config: { ...config, services } };
}
