import type {
  AttributeDependencies,
  FlowDependencies,
  OutcomeDependencies,
} from '../activities/dependencies.js';
import { WebhookSender } from '../adapters/webhook/webhook-sender.js';
import { ProjectAttributes } from '../engine/attribute-pipeline/project-attributes.js';
import { isWorkflowRunning } from '../engine/running-workflow.js';
import { ProjectFlows } from '../engine/data-flow/project-flows.js';
import { claimScheduled } from '../engine/data-flow/scheduled-claim.js';
import type { DeployedCode } from '../engine/deployed-code.js';
import { resolveReferences, secretSources } from '../engine/project/secrets.js';
import type { AfterExecute } from '../src/config/hooks.js';
import type { ProjectWorkerOptions } from './project-worker-options.js';

/** The config's hooks, which a reload replaces. */
export class Hooks {
  constructor(public afterExecute: AfterExecute | undefined) {}
}

/** What a worker needs to tell of the ends of runs. */
export function outcomeDependencies(
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

/** The data flows of a worker's project, as its code is now. */
export function projectFlows(
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

/** The attribute pipelines of a worker's project. They share the catalog of its data flows. */
export function projectAttributes(
  { project, link, log, schedules = true }: ProjectWorkerOptions,
  code: DeployedCode,
  flows: ProjectFlows,
): ProjectAttributes {
  const { asyncQueue: taskQueue, attributes: settings } = project.config;
  return new ProjectAttributes({
    client: link.client,
    taskQueue,
    code,
    models: () => code.modelNames,
    settings,
    schedules,
    log,
    catalog: () => flows.catalog(),
  });
}

/** What a worker needs to compute attributes. */
export function attributeDependencies(
  { link }: ProjectWorkerOptions,
  flows: ProjectFlows,
  attributes: ProjectAttributes,
): AttributeDependencies {
  return {
    catalog: () => flows.catalog(),
    sandbox: () => attributes.sandbox(),
    isRunning: (workflowId) => isWorkflowRunning(link.client, workflowId),
    control: {
      plan: async (question) => (await attributes.open()).refresh.plan(question),
      changed: async (entityType) => (await attributes.open()).runWhatHasChanged(entityType),
      request: async (request) => (await attributes.open()).refresh.request(request),
      reconcile: async () => (await attributes.open()).refresh.reconcile(),
    },
  };
}

/** What a worker needs to run data flows. */
export function flowDependencies(
  { project, link, env }: ProjectWorkerOptions,
  projectFlows: ProjectFlows,
  attributes: ProjectAttributes,
): FlowDependencies {
  const { dir, config } = project;
  const afterExecute = config.afterExecute !== undefined;
  return {
    dir,
    catalog: async () => (await projectFlows.open()).catalog,
    entities: async () => (await attributes.open()).entities,
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
