import { EventBridge } from '../adapters/event/event-bridge.js';
import { prometheus } from '../adapters/telemetry/prometheus.js';
import { ApprovalLinks } from '../adapters/approval/approval-links.js';
import { join } from 'node:path';
import { GracefulShutdownPeriodExpiredError, type Worker } from '@temporalio/worker';
import type { Logger } from '../activities/dependencies.js';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import { ConnectedEngine } from '../engine/create-engine.js';
import type { ProjectAttributes } from '../engine/attribute-pipeline/project-attributes.js';
import type { ProjectFlows } from '../engine/data-flow/project-flows.js';
import { DeployedCode } from '../engine/deployed-code.js';
import type { EngineOptions } from '../engine/engine.js';
import {
  Reachability,
  readinessOf,
  type Readiness,
  type WorkerState,
} from '../engine/readiness.js';
import { STATE_FOLDER } from '../engine/dev-server/dev-record.js';
import type { ConnectedWorkerClient } from '../engine/native-connection.js';
import type { Project } from '../engine/project/load-project.js';
import type { Subscriber } from '../src/event/subscriber.js';
import type { ProjectConfig } from '../src/config/project-config.js';
import type { ModelReference } from '../src/pipeline/context.js';
import type { StoreCatalog } from '../src/record-pipeline/store-catalog.js';
import { keepSchedules } from './own-schedules.js';
import { projectModels, resolveSecrets } from './project-models.js';
import { buildServices, type ProjectServices } from './project-services.js';
import type { ProjectWorkerOptions } from './project-worker-options.js';
import { temporalLogger } from './temporal-logger.js';
import { versionOf, workerOptions } from './temporal-options.js';
import { StoreWorkers } from './store-workers.js';
import { createTemporalWorker } from './temporal-worker.js';
import {
  attributeDependencies,
  flowDependencies,
  Hooks,
  outcomeDependencies,
  projectAttributes,
  projectFlows,
} from './worker-dependencies.js';
import { workflowBundle } from './workflow-bundle.js';

/** Temporal's own objects, and where they are connected to. */
export interface TemporalWorkerHandles {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly worker: Worker;
  readonly client: ConnectedWorkerClient['client'];
  readonly connection: ConnectedWorkerClient['connection'];
}

/** How a worker is run. */
export interface RunOptions {
  /** Stops the worker when it is aborted, as `stop()` does. */
  readonly signal?: AbortSignal;
}

/**
 * A worker that runs everything a project defines. It takes no work before {@link ProjectWorker.run}. One of them ends
 * once: to work again, create another.
 */
export interface ProjectWorker extends AsyncDisposable {
  readonly taskQueue: string;
  /**
   * An engine on the worker's own connection: runs that it starts begin here, without a round trip, while the worker
   * runs. It is closed together with the worker.
   */
  readonly engine: ConnectedEngine;
  /** Nothing of Temporal is hidden. Let `run()` and `stop()` of this object run and stop the worker. */
  readonly temporal: TemporalWorkerHandles;
  /** `running` from `run()` until it is told to stop, then `draining` until what it holds has ended. */
  readonly state: WorkerState;

  /**
   * Whether it takes work, and reaches what it needs for that: Temporal, and the catalog where the project has data flows. Within two
   * seconds; one question to them serves all who ask in a second.
   */
  readiness(): Promise<Readiness>;

  /**
   * Takes work until it is stopped. Resolves then, when everything that it held is closed. May be called more than once:
   * each call resolves when it has ended.
   *
   * @throws what made it end on its own
   */
  run(options?: RunOptions): Promise<void>;

  /**
   * Stops taking work. Operations in progress may go on for the grace time; what is left is cancelled and handed back, to be
   * tried by another worker. Services and the connection are closed afterwards. May be called more than once.
   */
  stop(): Promise<void>;
}

/** The {@link ProjectWorker} as we have it ourselves: its definitions can be replaced while it runs. */
export class ReloadableWorker implements ProjectWorker {
  /** What it runs. A reload replaces it in place. */
  readonly code: DeployedCode;
  readonly taskQueue: string;
  /** The file with the workflow code that it runs. */
  readonly workflowBundle: string;
  readonly engine: ConnectedEngine;
  /** What {@link ReloadableWorker.engine} is made of, for whoever needs one of another kind. */
  readonly engineOptions: EngineOptions;
  readonly config: ProjectConfig;
  readonly temporal: TemporalWorkerHandles;
  readonly #parts: WorkerParts;
  readonly #catalog: Reachability;
  #ended: Promise<void> | undefined;

  private constructor(parts: WorkerParts) {
    const { code, bundle, worker, options } = parts;
    const { project, link } = options;
    const { config } = project;
    const { address, namespace, uiUrl } = link.settings;
    this.#parts = parts;
    this.#catalog = new Reachability(async () => (await parts.flows.catalog()).ping());
    this.code = code;
    this.taskQueue = config.asyncQueue;
    this.config = config;
    this.workflowBundle = bundle;
    this.temporal = {
      worker,
      client: link.client,
      connection: link.connection,
      address,
      namespace,
    };
    this.engineOptions = {
      client: link.client,
      taskQueue: config.asyncQueue,
      code,
      // Where versions are, the server says which one takes a new run; it need not be this worker's.
      eagerStart: versionOf(options) === undefined,
      afterExecute: config.afterExecute !== undefined,
      dataFlows: () => parts.flows.open(),
      attributes: () => parts.attributes.open(),
      ...(uiUrl !== undefined && { uiUrl }),
    };
    this.engine = new ConnectedEngine(this.engineOptions, () => Promise.resolve(), config);
  }

  /**
   * Builds services and models, bundles workflow code, and makes the worker that will run them.
   *
   * @throws {@link UnresolvedReferences} when a secret that the project needs is missing, {@link ServicesFailed}
   */
  static async create(options: ProjectWorkerOptions): Promise<ReloadableWorker> {
    const { project, link, log } = options;
    const { config, registry } = project;
    const { webhookSecrets, approvalSecrets } = await resolveSecrets(
      withoutReplaced(options),
      options.env,
    );
    const code = new DeployedCode(registry, modelsOf(options, project));
    const hooks = new Hooks(config.afterExecute);
    const flows = projectFlows(options, code);
    // Who cannot reach the catalog should say so at once, not when the first flow is due.
    if (registry.dataFlows.size > 0) await flows.open();
    const attributes = projectAttributes(options, code, flows);
    const bundle = await bundleOf(project, log);
    const services = await buildServices(config);
    const events = config.events.enabled
      ? new EventBridge({ log, services: services.services })
      : undefined;
    events?.replace(subscribersOf(project));
    const { localStores } = options;
    const catalog = async (): Promise<StoreCatalog> => (await flows.catalog()).recordStores;
    const stores: StoreWorkers = new StoreWorkers({
      dir: localStores ?? project.dir,
      keepsOpen: localStores !== undefined,
      ...(localStores === undefined && { catalog }),
      log,
      create: (taskQueue) => createTemporalWorker({ ...shared, taskQueue }),
    });
    const shared = {
      connection: link.connection,
      namespace: link.client.options.namespace,
      code,
      services: services.services,
      log,
      ...(events !== undefined && { events }),
      outcomes: outcomeDependencies(options, hooks, webhookSecrets),
      ...(config.approvals !== undefined && {
        approvals: new ApprovalLinks({ ...config.approvals, secrets: approvalSecrets }),
      }),
      flows: flowDependencies(options, flows, attributes),
      attributes: attributeDependencies(options, flows, attributes),
      stores: {
        serve: (store: SqliteStore) => stores.serve(store),
        ...(localStores === undefined && { catalog }),
      },
      options: workerOptions(options),
    };
    const worker = await createTemporalWorker({
      ...shared,
      taskQueue: config.asyncQueue,
      workflowBundle: bundle,
    }).catch(async (error: unknown) => {
      await services.dispose();
      await flows.close();
      throw error;
    });
    return new ReloadableWorker({
      options,
      code,
      hooks,
      flows,
      attributes,
      stores,
      bundle,
      services,
      events,
      worker,
    });
  }

  get state(): WorkerState {
    return STATES[this.#parts.worker.getState()];
  }

  async readiness(): Promise<Readiness> {
    const { parts } = await this.engine.readiness();
    if (this.code.registry.dataFlows.size === 0)
      return readinessOf({ ...parts, worker: this.state });
    const catalog = (await this.#catalog.isReachable()) ? 'ok' : 'unreachable';
    return readinessOf({ ...parts, catalog, worker: this.state });
  }

  async run({ signal }: RunOptions = {}): Promise<void> {
    const ended = (this.#ended ??= this.#run());
    const stop = (): void => {
      // What it ends with is told by the promise that is waited for here.
      this.stop().catch(() => undefined);
    };
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await ended;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async stop(): Promise<void> {
    const { worker } = this.#parts;
    // One that never ran has to, or Temporal would never let go of the connection.
    const ended = this.run();
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Takes other definitions and hooks. What runs goes on with the code that it began with. */
  async reload(project: Project): Promise<void> {
    const { options, hooks, events, stores } = this.#parts;
    await resolveSecrets(withoutReplaced({ ...options, project }), options.env);
    this.code.replace(project.registry, modelsOf(options, project));
    hooks.afterExecute = project.config.afterExecute;
    events?.replace(subscribersOf(project));
    await stores.serveAll(project.registry);
    await this.#keepSchedules();
  }

  async #run(): Promise<void> {
    const { worker, services, events, flows, attributes, stores, options } = this.#parts;
    const { link, log } = options;
    let scheduled: Promise<void> | undefined;
    try {
      const running = worker.run();
      scheduled = this.#keepSchedules();
      await stores.serveAll(this.code.registry);
      await running;
    } catch (error) {
      if (!(error instanceof GracefulShutdownPeriodExpiredError)) throw error;
      log.warn(
        'some operations did not end when they were cancelled; another worker will try them when their heartbeat is missed',
      );
    } finally {
      await stores.stop();
      await scheduled;
      await events?.drain();
      await services
        .dispose()
        .finally(() => attributes.close())
        .finally(() => flows.close())
        .finally(() => link.close());
    }
  }

  async #keepSchedules(): Promise<void> {
    const { options, flows, attributes } = this.#parts;
    const { link, log, schedules = true } = options;
    if (!schedules) return;
    const { taskQueue } = this;
    const scheduled = this.code.registry.dataFlows.size > 0 ? flows : undefined;
    await keepSchedules({
      link,
      taskQueue,
      log,
      flows: scheduled,
      attributes: attributes.schedules,
    });
  }
}

const STATES: Readonly<Record<ReturnType<Worker['getState']>, WorkerState>> = {
  INITIALIZED: 'starting',
  RUNNING: 'running',
  STOPPING: 'draining',
  DRAINING: 'draining',
  DRAINED: 'draining',
  STOPPED: 'stopped',
  FAILED: 'failed',
};

/** What a worker is made of. */
interface WorkerParts {
  readonly options: ProjectWorkerOptions;
  readonly code: DeployedCode;
  readonly hooks: Hooks;
  readonly flows: ProjectFlows;
  readonly attributes: ProjectAttributes;
  readonly stores: StoreWorkers;
  readonly bundle: string;
  readonly services: ProjectServices;
  readonly events: EventBridge | undefined;
  readonly worker: Worker;
}

/** Whom the worker tells of events: the project's own subscribers, and Prometheus where it is to have metrics. */
function subscribersOf({ config, registry }: Project): readonly Subscriber[] {
  return [...registry.subscribers.values(), ...(config.metrics.enabled ? [prometheus()] : [])];
}

/** The file with a project's workflow code, made if there is none for what it is now. */
export async function bundleOf(
  { dir, config, workflowFiles }: Project,
  log: Logger,
): Promise<string> {
  return workflowBundle({
    files: workflowFiles,
    interceptorModules: config.worker.interceptors?.workflowModules ?? [],
    cacheDir: join(dir, STATE_FOLDER, 'bundles'),
    logger: temporalLogger(log),
  });
}

function modelsOf(
  { env, log, models = new Map() }: ProjectWorkerOptions,
  project: Project,
): ReadonlyMap<string, ModelReference> {
  return new Map([...projectModels(project, env, log), ...models]);
}

/** The project without models that something else is used for: their secrets are not needed. */
function withoutReplaced({ project, models }: ProjectWorkerOptions): Project {
  if (models === undefined) return project;
  return {
    ...project,
    models: new Map([...project.models].filter(([name]) => !models.has(name))),
  };
}
