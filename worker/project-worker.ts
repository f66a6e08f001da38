import { join } from 'node:path';
import {
  GracefulShutdownPeriodExpiredError,
  type Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { FlowDependencies, Logger, OutcomeDependencies } from '../activities/dependencies.js';
import { WebhookSender } from '../adapters/webhook/webhook-sender.js';
import { ConnectedEngine } from '../engine/create-engine.js';
import { claimScheduled } from '../engine/data-flow/scheduled-claim.js';
import { ProjectFlows } from '../engine/data-flow/project-flows.js';
import { DeployedCode } from '../engine/deployed-code.js';
import { STATE_FOLDER } from '../engine/dev-server/dev-record.js';
import type { ConnectedWorkerClient } from '../engine/native-connection.js';
import type { Project } from '../engine/project/load-project.js';
import { resolveReferences, secretSources, type Environment } from '../engine/project/secrets.js';
import { requestTemporal } from '../engine/temporal-request.js';
import type { AfterExecute } from '../src/config/hooks.js';
import { TIMED_OUT_TAG } from '../src/outcome/outcome.js';
import type { ModelReference } from '../src/pipeline/context.js';
import { projectModels, resolveSecrets } from './project-models.js';
import { buildServices, type ProjectServices } from './project-services.js';
import { ensureMinuteSchedule, reconcileSchedule, sweepSchedule } from './minute-schedule.js';
import { temporalLogger } from './temporal-logger.js';
import { createTemporalWorker } from './temporal-worker.js';
import { workflowBundle } from './workflow-bundle.js';

/** Operations that do not look at their signal get so long after the grace time; then the worker ends without them. */
const FORCE_AFTER_GRACE_MS = 5_000;

/** What {@link ReloadableWorker.create} takes. */
export interface ProjectWorkerOptions {
  readonly project: Project;
  /** The connection that the worker uses, and a client on it. Closed when the worker has stopped. */
  readonly link: ConnectedWorkerClient;
  readonly log: Logger;
  readonly env: Environment;
  /** The config's own unless set. */
  readonly shutdownGraceMs?: number;
  /** False: `workerDeploymentOptions` of the config have no effect, since nobody makes a version the current one here. */
  readonly versioned?: boolean;
  /** False: runs that Temporal ended without their code are not looked for. */
  readonly sweep?: boolean;
  /** Used instead of the models that the config has by these names. */
  readonly models?: ReadonlyMap<string, ModelReference>;
}

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
    this.workflowBundle = bundle;
    this.temporal = {
      worker,
      client: link.client,
      connection: link.connection,
      address,
      namespace,
    };
    this.engine = new ConnectedEngine(
      {
        client: link.client,
        taskQueue: config.asyncQueue,
        code,
        // Where versions are, the server says which one takes a new run; it need not be this worker's.
        eagerStart: versionOf(options) === undefined,
        afterExecute: config.afterExecute !== undefined,
        dataFlows: () => parts.flows.open(),
        ...(uiUrl !== undefined && { uiUrl }),
      },
      () => Promise.resolve(),
      config,
    );
  }

  /**
   * Builds services and models, bundles workflow code, and makes the worker that will run them.
   *
   * @throws {@link UnresolvedReferences} when a secret that the project needs is missing, {@link ServicesFailed}
   */
  static async create(options: ProjectWorkerOptions): Promise<ReloadableWorker> {
    const { project, link, log } = options;
    const { config, registry } = project;
    const { webhookSecrets } = await resolveSecrets(withoutReplaced(options), options.env);
    const code = new DeployedCode(registry, modelsOf(options, project));
    const hooks = new Hooks(config.afterExecute);
    const flows = projectFlows(options, code);
    // Who cannot reach the catalog should say so at once, not when the first flow is due.
    if (registry.dataFlows.size > 0) await flows.open();
    const bundle = await bundleOf(project, log);
    const services = await buildServices(config);
    const worker = await createTemporalWorker({
      connection: link.connection,
      namespace: link.client.options.namespace,
      taskQueue: config.asyncQueue,
      workflowBundle: bundle,
      code,
      services: services.services,
      log,
      outcomes: outcomeDependencies(options, hooks, webhookSecrets),
      flows: flowDependencies(options, flows),
      options: workerOptions(options),
    }).catch(async (error: unknown) => {
      await services.dispose();
      await flows.close();
      throw error;
    });
    return new ReloadableWorker({ options, code, hooks, flows, bundle, services, worker });
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
    const { options, hooks } = this.#parts;
    await resolveSecrets(withoutReplaced({ ...options, project }), options.env);
    this.code.replace(project.registry, modelsOf(options, project));
    hooks.afterExecute = project.config.afterExecute;
    await this.#keepSchedules();
  }

  async #run(): Promise<void> {
    const { worker, services, flows, options } = this.#parts;
    const { link, log } = options;
    let scheduled: Promise<void> | undefined;
    try {
      const running = worker.run();
      scheduled = this.#keepSchedules();
      await running;
    } catch (error) {
      if (!(error instanceof GracefulShutdownPeriodExpiredError)) throw error;
      log.warn(
        'some operations did not end when they were cancelled; another worker will try them when their heartbeat is missed',
      );
    } finally {
      await scheduled;
      await services
        .dispose()
        .finally(() => flows.close())
        .finally(() => link.close());
    }
  }

  /** The schedules of our own workflows, and those of the project's flows. */
  async #keepSchedules(): Promise<void> {
    const { options } = this.#parts;
    const { link, log } = options;
    try {
      // In time or not at all: a worker that stops waits for it.
      if (options.sweep ?? true)
        await requestTemporal(link.client, () =>
          ensureMinuteSchedule(link.client, this.taskQueue, sweepSchedule(this.taskQueue)),
        );
    } catch (error) {
      log.warn(
        { err: error },
        'the sweep for ended runs could not be scheduled; webhooks of terminated runs may be missing',
      );
    }
    if (this.code.registry.dataFlows.size > 0) await this.#keepFlows();
  }

  async #keepFlows(): Promise<void> {
    const { options, flows } = this.#parts;
    const { link, log } = options;
    try {
      const { reconciliation, catalog } = await flows.open();
      await reconciliation.declare(new Date());
      await reconciliation.syncAll(await catalog.flows());
      if (options.sweep ?? true)
        await requestTemporal(link.client, () =>
          ensureMinuteSchedule(link.client, this.taskQueue, reconcileSchedule(this.taskQueue)),
        );
    } catch (error) {
      log.warn(
        { err: error },
        'the schedules of data flows could not be brought up to date; the next reconciliation tries again',
      );
    }
  }
}

/** What a worker is made of. */
interface WorkerParts {
  readonly options: ProjectWorkerOptions;
  readonly code: DeployedCode;
  readonly hooks: Hooks;
  readonly flows: ProjectFlows;
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

/** The config's hooks, which a reload replaces. */
class Hooks {
  constructor(public afterExecute: AfterExecute | undefined) {}
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

function outcomeDependencies(
  { project, link }: ProjectWorkerOptions,
  hooks: Hooks,
  secrets: readonly string[],
): OutcomeDependencies {
  const { webhooks, asyncQueue } = project.config;
  return {
    webhooks: new WebhookSender({ secrets, allow: webhooks.allow }),
    webhookMaxAgeMs: webhooks.maxAgeMs,
    afterExecute: () => hooks.afterExecute,
    client: link.client,
    taskQueue: asyncQueue,
  };
}

function projectFlows(
  { project, link, log, env }: ProjectWorkerOptions,
  code: DeployedCode,
): ProjectFlows {
  const { dir, config } = project;
  return new ProjectFlows({
    dir,
    config,
    env,
    client: link.client,
    taskQueue: config.asyncQueue,
    flows: () => code.registry.dataFlows,
    log,
  });
}

function flowDependencies(
  { project, link, env }: ProjectWorkerOptions,
  projectFlows: ProjectFlows,
): FlowDependencies {
  const { dir, config } = project;
  const afterExecute = config.afterExecute !== undefined;
  return {
    dir,
    catalog: async () => (await projectFlows.open()).catalog,
    resolve: (value) => resolveReferences(value, secretSources(project, env)),
    control: {
      claimScheduled: async (task) =>
        claimScheduled(
          { flows: await projectFlows.open(), client: link.client, afterExecute },
          task,
        ),
      startFollowers: async (flow) => {
        await (await projectFlows.open()).reconciliation.followers(flow, new Date());
      },
      reconcile: async () => (await projectFlows.open()).reconcile(),
    },
  };
}

/** Without `useWorkerVersioning` a version would only be a label, from which workflow code could not tell that it is none. */
function versionOf({
  project,
  versioned = true,
}: ProjectWorkerOptions): WorkerOptions['workerDeploymentOptions'] {
  const { workerDeploymentOptions } = project.config.worker;
  return versioned && workerDeploymentOptions?.useWorkerVersioning === true
    ? workerDeploymentOptions
    : undefined;
}

function workerOptions(options: ProjectWorkerOptions): Partial<WorkerOptions> {
  const {
    shutdownGraceTimeMs,
    workerDeploymentOptions: _,
    interceptors,
    patchActivationCallback,
    ...others
  } = options.project.config.worker;
  const version = versionOf(options);
  const graceMs = options.shutdownGraceMs ?? shutdownGraceTimeMs;
  const { workflowModules: _bundled, ...outside } = interceptors ?? {};
  return {
    ...others,
    ...(interceptors !== undefined && { interceptors: outside }),
    ...(patchActivationCallback !== undefined && {
      patchActivationCallback: (input) =>
        // Not one of the project's patches: it tells a timeout from other failures.
        input.patchId === TIMED_OUT_TAG || patchActivationCallback(input),
    }),
    ...(version !== undefined && { workerDeploymentOptions: version }),
    shutdownGraceTime: graceMs,
    shutdownForceTime: graceMs + FORCE_AFTER_GRACE_MS,
  };
}
