import type { AttributeCatalogs } from '../src/attribute-pipeline/attribute-catalogs.js';
import type { Client } from '@temporalio/client';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import type { ApprovalLinks } from '../adapters/approval/approval-links.js';
import type { EventPublisher } from '../adapters/event/event-bridge.js';
import type { WebhookSender } from '../adapters/webhook/webhook-sender.js';
import type { EntityCatalog } from '../src/attribute-pipeline/entity-catalog.js';
import type { ModuleRegistry } from '../src/attribute-pipeline/modules/module-registry.js';
import type {
  RefreshQuestion,
  RefreshRequest,
  RefreshRun,
} from '../src/attribute-pipeline/refresh.js';
import type { Sandbox } from '../src/attribute-pipeline/sandbox.js';
import type { AfterExecute } from '../src/config/hooks.js';
import type { DataFlowCatalog } from '../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../src/data-flow/compile.js';
import type { ClaimOutcome, ClaimTask } from '../src/data-flow/run.js';
import type { Activity } from '../src/definition/activity.js';
import type { CompiledWorkflow } from '../src/definition/compiled-workflow.js';
import type { CompiledPipeline } from '../src/pipeline/compile.js';
import type { ModelReference, OperationFailure, Services } from '../src/pipeline/context.js';
import type { Log } from '../src/pipeline/context.js';
import type { Operation } from '../src/pipeline/operation.js';
import type { CompiledRecordPipeline } from '../src/record-pipeline/compile.js';
import type { CompiledTask } from '../src/task/compile.js';
import type { StepHandler } from '../src/task/handler.js';
import type { StoreCatalog } from '../src/record-pipeline/store-catalog.js';

/** A logger that can be given fields for all its lines. */
export interface Logger extends Log {
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** The code that a worker has. Looked at for each activity, so that a reload needs no new worker. */
export interface DeployedCode {
  operation(type: string): Operation | undefined;
  /** A function of the project's `activities/`. */
  activity(name: string): Activity | undefined;
  dataFlow(name: string): CompiledDataFlow | undefined;
  recordPipeline(name: string): CompiledRecordPipeline | undefined;
  /** The code of a step of tasks. */
  stepHandler(name: string): StepHandler | undefined;
  /** Everything that can be started, by name. */
  readonly definitions: ReadonlyMap<string, CompiledPipeline | CompiledWorkflow | CompiledTask>;
  /** The modules of attribute pipelines. */
  readonly modules: ModuleRegistry;
  /** The `ignoreErrors` function of an operation at its place in a pipeline. */
  predicate(
    pipeline: string,
    stage: string,
    operation: string,
  ): ((failure: OperationFailure) => boolean) | undefined;
  /** A language model of config.yml. */
  model(name: string): ModelReference | undefined;
  /** Names of the models of config.yml. */
  readonly modelNames: readonly string[];
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

/** What is done about flows as a whole, beside moving their rows. */
export interface FlowControl {
  /** Claims the next run for a scheduled time. */
  claimScheduled(task: ClaimTask): Promise<ClaimOutcome>;
  /** Starts the flows that come after one which has ended, and the flow itself where it comes after others. */
  startFollowers(flow: string): Promise<void>;
  /** Closes what ended without its code, starts what was claimed and never began, and brings schedules up to date. */
  reconcile(): Promise<unknown>;
}

/** What is needed to run data flows. */
export interface FlowDependencies {
  /** Opened when it is needed. */
  readonly catalog: () => Promise<DataFlowCatalog>;
  readonly control: FlowControl;
  /** Entities, whose changes have the pipelines run that read them. Opened when they are needed. */
  readonly entities: () => Promise<EntityCatalog>;
  /** Puts in what `secret://` and `${ENV}` references stand for. */
  readonly resolve: <T>(value: T) => Promise<T>;
  /** The project's folder, absolute. */
  readonly dir: string;
}

/** What is needed to find and serve record stores. */
export interface StoreDependencies {
  /** Says where stores are, on whatever machine. Absent where all of them are on this one. */
  readonly catalog?: () => Promise<StoreCatalog>;
  /** Has this process take the work of a store that is on this machine. */
  readonly serve: (store: SqliteStore) => Promise<void>;
}

/** What is done about the runs of attribute pipelines as a whole, beside computing values. */
export interface AttributeControl {
  /** Which runs may begin now. */
  plan(question: RefreshQuestion): Promise<readonly RefreshRun[]>;
  /** Puts a run down in the catalog; does nothing when it is there. */
  request(request: RefreshRequest): Promise<void>;
  /** Has the pipelines run that read what has changed of an entity type; what it does does not fail. */
  changed(entityType: string): Promise<void>;
  /** Closes runs that ended without their code, and has what was changed and left be looked at. */
  reconcile(): Promise<unknown>;
}

/** What is needed to compute attributes. */
export interface AttributeDependencies {
  /** Opened when it is needed. */
  readonly catalog: () => Promise<AttributeCatalogs>;
  /** Started when it is needed. */
  readonly sandbox: () => Promise<Sandbox>;
  /** Tells whether the workflow of a run goes on; undefined where the server knows nothing of it. */
  readonly isRunning: (workflowId: string) => Promise<boolean | undefined>;
  readonly control: AttributeControl;
}

/** What activities need of the world. */
export interface ActivityDependencies {
  readonly code: DeployedCode;
  readonly services: Services;
  readonly log: Logger;
  /** Absent where the config turns it off. */
  readonly events?: EventPublisher;
  /** Absent in workers of which nobody is told how runs end. */
  readonly outcomes?: OutcomeDependencies;
  /** Absent in workers that cannot run data flows. */
  readonly flows?: FlowDependencies;
  /** Absent in workers that cannot compute attributes. */
  readonly attributes?: AttributeDependencies;
  /** Absent where the config has no `approvals`. */
  readonly approvals?: ApprovalLinks;
  /** Absent in workers that serve no record stores. */
  readonly stores?: StoreDependencies;
}
