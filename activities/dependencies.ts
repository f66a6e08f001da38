import type { Client } from '@temporalio/client';
import type { WebhookSender } from '../adapters/webhook/webhook-sender.js';
import type { AfterExecute } from '../src/config/hooks.js';
import type { Activity } from '../src/definition/activity.js';
import type { CompiledWorkflow } from '../src/definition/compiled-workflow.js';
import type { CompiledPipeline } from '../src/pipeline/compile.js';
import type { ModelReference, OperationFailure, Services } from '../src/pipeline/context.js';
import type { Log } from '../src/pipeline/context.js';
import type { Operation } from '../src/pipeline/operation.js';

/** A logger that can be given fields for all its lines. */
export interface Logger extends Log {
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** The code that a worker has. Looked at for each activity, so that a reload needs no new worker. */
export interface DeployedCode {
  operation(type: string): Operation | undefined;
  /** A function of the project's `activities/`. */
  activity(name: string): Activity | undefined;
  /** Everything that can be started, by name. */
  readonly definitions: ReadonlyMap<string, CompiledPipeline | CompiledWorkflow>;
  /** The `ignoreErrors` function of an operation at its place in a pipeline. */
  predicate(
    pipeline: string,
    stage: string,
    operation: string,
  ): ((failure: OperationFailure) => boolean) | undefined;
  /** A language model of config.yml. */
  model(name: string): ModelReference | undefined;
}

/** What is needed to tell of the ends of runs. */
export interface OutcomeDependencies {
  readonly webhooks: WebhookSender;
  /** How long a webhook is tried again. */
  readonly webhookMaxAgeMs: number;
  /** The hook as it is now: a reload may replace it. */
  readonly afterExecute: () => AfterExecute | undefined;
  /** For the sweep: finds runs that ended without their workflow code. */
  readonly client: Client;
  readonly taskQueue: string;
}

/** What activities need of the world. */
export interface ActivityDependencies {
  readonly code: DeployedCode;
  readonly services: Services;
  readonly log: Logger;
  /** Absent in workers of which nobody is told how runs end. */
  readonly outcomes?: OutcomeDependencies;
}
