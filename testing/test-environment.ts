import pino from 'pino';
import { ulid } from 'ulid';
import type { Logger } from '../activities/dependencies.js';
import { configuredTemporal, type ConnectionSettings } from '../engine/connection.js';
import { embeddedSettings } from '../engine/find-temporal.js';
import { LongPolls } from '../engine/history/long-polls.js';
import {
  connectWorkerClient,
  installRuntime,
  type ConnectedWorkerClient,
} from '../engine/native-connection.js';
import type { Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import type { ConfigDefinition } from '../src/config/config.js';
import type { ModelReference, Services } from '../src/pipeline/context.js';
import { ReloadableWorker, type ProjectWorker } from '../worker/project-worker.js';
import type { ProjectWorkerOptions } from '../worker/project-worker-options.js';
import { temporalLogger } from '../worker/temporal-logger.js';
import { BodyWatch } from './body-watch.js';
import { LeftOver } from './left-over.js';
import { endOpenRuns } from './open-runs.js';
import { TestCatalog } from './test-catalog.js';
import { TestEngine } from './test-engine.js';
import { testProject, type TestSources } from './test-project.js';
import { startTestServer, type TestServer } from './test-server.js';
import { connectTimeSkipping, type TimeSkippingLink } from './time-skipping/time-skipping-link.js';

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
  /**
   * `dev` unless set: Temporal's dev server, or any other that is named. `time-skipping`: a server of Temporal's whose clock runs ahead
   * while a result is waited for, so that waits, retries and timeouts of days take no time. It keeps no lists of runs and no schedules, and
   * its clock is one for all: run such tests one after the other.
   */
  readonly server?: 'dev' | 'time-skipping';
  /**
   * What is done about what a test leaves behind when it is stopped: `fail` (unless set) throws {@link LeftOver}. Runs are ended either
   * way, and left alone where `config.asyncQueue` names the task queue.
   */
  readonly leftOver?: 'fail' | 'ignore';
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
  readonly engine: TestEngine;
  /** The worker that executes them; `worker.temporal` is everything of Temporal's own. */
  readonly worker: ProjectWorker;
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /**
   * Ends the worker, the connection, and the server if it was started for this environment. May be called more than once.
   *
   * @throws {@link LeftOver} where runs are open, or code goes on though it was cancelled; everything is ended by then
   */
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
 *   {@link TimeSkippingServerUnavailable}, {@link TemporalUnreachable}, {@link TemporalRefused}, {@link NamespaceNotFound},
 *   {@link UnresolvedReferences}, {@link ServicesFailed}
 */
export async function createTestEnvironment(
  options: TestEnvironmentOptions,
): Promise<TestEnvironment> {
  return startEnvironment(options, (project) => project);
}

/** {@link createTestEnvironment}, of a project with changes. */
export async function startEnvironment(
  options: TestEnvironmentOptions,
  change: (project: Project) => Project,
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
  const bodies = new BodyWatch();
  installRuntime(temporalLogger(log));
  let server: TestServer | undefined;
  try {
    const project = watched(change(withServices(loaded, options.services)), bodies);
    const { settings, own } = await findServer(options, env);
    server = own;
    const link = await connect(settings, options.server === 'time-skipping');
    const worker = await startWorker(link, { project, env, log, models });
    const ownQueue = config.asyncQueue === undefined;
    return new RunningEnvironment({ ...options, worker, link, server, catalog, bodies, ownQueue });
  } catch (error) {
    await server?.stop();
    await catalog?.remove();
    throw error;
  }
}

/**
 * {@link createTestEnvironment} for those who need the engine alone: everything that an engine does, and `stop()`.
 *
 * @example
 * ```ts
 * await using engine = await createTestEngine({ dir: '.' });
 * const { result } = await engine.execute('word-report', { text: 'one two' });
 * ```
 *
 * @throws what {@link createTestEnvironment} throws
 */
export async function createTestEngine(options: TestEnvironmentOptions): Promise<TestEngine> {
  const { engine } = await createTestEnvironment(options);
  return engine;
}

/** What an environment is made of. */
interface EnvironmentParts extends Pick<TestEnvironmentSettings, 'leftOver'> {
  readonly worker: ReloadableWorker;
  readonly link: ConnectedWorkerClient | TimeSkippingLink;
  readonly server: TestServer | undefined;
  readonly catalog: TestCatalog | undefined;
  readonly bodies: BodyWatch;
  /** Nobody else has the task queue. */
  readonly ownQueue: boolean;
}

/** A worker that has begun to work, and what belongs to it. */
class RunningEnvironment implements TestEnvironment {
  readonly engine: TestEngine;
  readonly worker: ProjectWorker;
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly #parts: EnvironmentParts;

  constructor(parts: EnvironmentParts) {
    const { worker, link } = parts;
    this.#parts = parts;
    this.worker = worker;
    const skipsTime = 'sleep' in link;
    this.engine = new TestEngine({
      options: {
        ...worker.engineOptions,
        // That server answers a long poll for a history at once, and with nothing.
        ...(skipsTime && { historyPolls: new LongPolls(0) }),
      },
      config: worker.config,
      worker,
      skip: skipsTime ? (ms) => link.sleep(ms) : undefined,
      stop: () => this.#stop(),
    });
    this.address = this.engine.address;
    this.namespace = this.engine.namespace;
    this.taskQueue = this.engine.taskQueue;
  }

  async stop(): Promise<void> {
    await this.engine.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    const { worker, server, catalog, bodies, ownQueue, leftOver = 'fail' } = this.#parts;
    const { client } = worker.temporal;
    // Of a queue that somebody has named, others may have runs, and they may be meant to go on.
    const runs = ownQueue ? await endOpenRuns(client, this.taskQueue, this.engine.started) : [];
    await worker
      .stop()
      .finally(() => server?.stop())
      .finally(() => catalog?.remove());
    const left = await bodies.left(STOP_GRACE_MS);
    if (leftOver === 'fail' && runs.length + left.length > 0) throw new LeftOver(runs, left);
  }
}

/** Whether somebody has said which server to use. */
export function namesServer({
  config = {},
  server = 'dev',
  env = process.env,
}: TestEnvironmentSettings): boolean {
  return explicitTemporal(config, server === 'dev' ? env : {}) !== undefined;
}

/** The server to use, and the one to stop afterwards, where it was started for this. */
async function findServer(
  { config = {}, server = 'dev' }: TestEnvironmentSettings,
  env: Environment,
): Promise<{ readonly settings: ConnectionSettings; readonly own?: TestServer }> {
  // What is configured for all tests is no server that skips time.
  const configured = explicitTemporal(config, server === 'dev' ? env : {});
  if (configured !== undefined) return { settings: configured };
  const { namespace } = config.temporal ?? {};
  const own = await startTestServer({
    server,
    // A test's own variables need not say where programs are.
    env: { ...process.env, ...env },
    ...(namespace !== undefined && { namespace }),
  });
  return { settings: embeddedSettings(own), own };
}

async function connect(
  settings: ConnectionSettings,
  skipsTime: boolean,
): Promise<ConnectedWorkerClient | TimeSkippingLink> {
  return skipsTime ? connectTimeSkipping(settings) : connectWorkerClient(settings);
}

async function startWorker(
  link: ConnectedWorkerClient,
  options: Pick<ProjectWorkerOptions, 'project' | 'env' | 'log' | 'models'>,
): Promise<ReloadableWorker> {
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

function watched(project: Project, bodies: BodyWatch): Project {
  return { ...project, registry: bodies.watching(project.registry) };
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
