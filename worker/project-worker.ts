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
import { STATE_FOLDER } from '../engine/dev-server/dev-record.js';
import type { ConnectedWorkerClient } from '../engine/native-connection.js';
import type { Project } from '../engine/project/load-project.js';
import type { ProjectConfig } from '../src/config/config.js';
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

  /**
   * Takes work until it is stopped. Resolves then, when everything that it held is closed. May be called more than once;
   * it is the same promise.
   *
   * @throws what made it end on its own
   */
  run(): Promise<void>;

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
  #ended: Promise<void> | undefined;

  private constructor(parts: WorkerParts) {
    const { code, bundle, worker, options } = parts;
    const { project, link } = options;
    const { config } = project;
    const { address, namespace, uiUrl } = link.settings;
    this.#parts = parts;
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
      worker,
    });
  }

  run(): Promise<void> {
    return (this.#ended ??= this.#run());
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
    const { options, hooks, stores } = this.#parts;
    await resolveSecrets(withoutReplaced({ ...options, project }), options.env);
    this.code.replace(project.registry, modelsOf(options, project));
    hooks.afterExecute = project.config.afterExecute;
    await stores.serveAll(project.registry);
    await this.#keepSchedules();
  }

  async #run(): Promise<void> {
    const { worker, services, flows, attributes, stores, options } = this.#parts;
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
  readonly worker: Worker;
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
