import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import {
  GracefulShutdownPeriodExpiredError,
  type NativeConnection,
  type Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Logger, OutcomeDependencies } from '../activities/dependencies.js';
import { WebhookSender } from '../adapters/webhook/webhook-sender.js';
import type { AfterExecute } from '../src/config/hooks.js';
import { DeployedCode } from '../engine/deployed-code.js';
import { STATE_FOLDER } from '../engine/dev-server/dev-record.js';
import type { Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import { projectModels, resolveSecrets } from './project-models.js';
import { buildServices, type ProjectServices } from './project-services.js';
import { ensureSweepSchedule } from './sweep-schedule.js';
import { temporalLogger } from './temporal-logger.js';
import { createWorker } from './worker.js';
import { workflowBundle } from './workflow-bundle.js';

/** Operations that do not look at their signal get so long after the grace time; then the worker ends without them. */
const FORCE_AFTER_GRACE_MS = 5_000;

/** What {@link runWorker} takes. */
export interface RunWorkerOptions {
  readonly project: Project;
  readonly connection: NativeConnection;
  /** On the same connection. */
  readonly client: Client;
  readonly log: Logger;
  readonly env: Environment;
  /** The config's own unless set. */
  readonly shutdownGraceMs?: number;
}

/** A worker that takes work until it is stopped. */
export interface ProjectWorker {
  /** What it runs. A reload replaces it in place. */
  readonly code: DeployedCode;
  readonly taskQueue: string;
  /** The file with the workflow code that it runs. */
  readonly workflowBundle: string;
  /** Resolves when it has stopped; rejects when it failed. */
  readonly ended: Promise<void>;
  /** Takes other definitions and hooks. What runs goes on with the code that it began with. */
  reload(project: Project): Promise<void>;
  /**
   * Stops taking work. Operations in progress may go on for the grace time; what is left is cancelled and handed back, to be
   * tried by another worker. Services are closed afterwards. May be called more than once.
   */
  stop(): Promise<void>;
}

/**
 * Runs a worker for a project: builds its services and models, bundles its workflow code, polls its task queue.
 *
 * @throws {@link UnresolvedReferences} when a secret that the project needs is missing, {@link ServicesFailed}
 */
export async function runWorker(options: RunWorkerOptions): Promise<ProjectWorker> {
  const { project, connection, client, log, env } = options;
  const { config, registry } = project;
  const { webhookSecrets } = await resolveSecrets(project, env);
  const code = new DeployedCode(registry, projectModels(project, env, log));
  const hooks = new Hooks(config.afterExecute);
  const outcomes = outcomeDependencies(options, hooks, webhookSecrets);
  const bundle = await bundleOf(project, log);
  const services = await buildServices(config);
  const worker = await createWorker({
    connection,
    namespace: client.options.namespace,
    taskQueue: config.asyncQueue,
    workflowBundle: bundle,
    code,
    services: services.services,
    log,
    outcomes,
    options: workerOptions(options),
  }).catch(async (error: unknown) => {
    await services.dispose();
    throw error;
  });
  const ended = untilEnded(worker, services, log);
  // Whoever waits for it gets the error; nobody may be waiting yet.
  ended.catch(() => undefined);
  await ensureSweepSchedule(client, config.asyncQueue).catch((error: unknown) => {
    log.warn(
      { err: error },
      'the sweep for ended runs could not be scheduled; webhooks of terminated runs may be missing',
    );
  });
  return {
    code,
    taskQueue: config.asyncQueue,
    workflowBundle: bundle,
    ended,
    reload: async (changed) => {
      await resolveSecrets(changed, env);
      code.replace(changed.registry, projectModels(changed, env, log));
      hooks.afterExecute = changed.config.afterExecute;
    },
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** The file with a project's workflow code, made if there is none for what it is now. */
export async function bundleOf({ dir, workflowFiles }: Project, log: Logger): Promise<string> {
  return workflowBundle({
    files: workflowFiles,
    cacheDir: join(dir, STATE_FOLDER, 'bundles'),
    logger: temporalLogger(log),
  });
}

/** The config's hooks, which a reload replaces. */
class Hooks {
  constructor(public afterExecute: AfterExecute | undefined) {}
}

function outcomeDependencies(
  { project, client }: RunWorkerOptions,
  hooks: Hooks,
  secrets: readonly string[],
): OutcomeDependencies {
  const { webhooks, asyncQueue } = project.config;
  return {
    webhooks: new WebhookSender({ secrets, allow: webhooks.allow }),
    webhookMaxAgeMs: webhooks.maxAgeMs,
    afterExecute: () => hooks.afterExecute,
    client,
    taskQueue: asyncQueue,
  };
}

function workerOptions({ project, shutdownGraceMs }: RunWorkerOptions): Partial<WorkerOptions> {
  const { shutdownGraceTimeMs, ...limits } = project.config.worker;
  const graceMs = shutdownGraceMs ?? shutdownGraceTimeMs;
  return {
    ...limits,
    shutdownGraceTime: graceMs,
    shutdownForceTime: graceMs + FORCE_AFTER_GRACE_MS,
  };
}

async function untilEnded(worker: Worker, services: ProjectServices, log: Logger): Promise<void> {
  try {
    await worker.run();
  } catch (error) {
    if (!(error instanceof GracefulShutdownPeriodExpiredError)) throw error;
    log.warn(
      'some operations did not end when they were cancelled; another worker will try them when their heartbeat is missed',
    );
  } finally {
    await services.dispose();
  }
}
