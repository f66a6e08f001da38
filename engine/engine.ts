import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type Client,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type { Json, JsonObject } from '../src/definition/json.js';
import { TIMEOUT_MARGIN_MS } from '../src/definition/run-timeout.js';
import type { Pipeline, PipelineInput, PipelineOutput } from '../src/pipeline/pipeline.js';
import { startArguments, startSummary } from '../src/pipeline/start.js';
import type { PipelinePlan } from '../src/pipeline/plan.js';
import { DEAD_LETTER_UNTOLD_MEMO, untoldReason } from '../src/task/dead-letter.js';
import type { LifecyclePlan, TaskPlan } from '../src/task/plan.js';
import type { Attributes } from './attribute-pipeline/attributes.js';
import type { DataFlows } from './data-flow/data-flows.js';
import { DefinitionNotFound, DuplicateTask, IdempotencyConflict } from './errors.js';
import { firstRunId, memoOf, type RunMemo } from './execution.js';
import { ExecutionList, type ExecutionPage, type ListRequest } from './execution-list.js';
import { LongPolls } from './history/long-polls.js';
import { RunWatches } from './history/run-watches.js';
import { executionIdentity } from './execution-identity.js';
import { requestFingerprint } from './idempotency.js';
import type { Definition, Registry } from './registry.js';
import { askTemporal, Reachability, readinessOf, type Readiness } from './readiness.js';
import { RecordPipelines } from './record-pipeline/record-pipelines.js';
import { RecordStoreQuestions } from './record-pipeline/record-store-questions.js';
import { Run } from './run.js';
import { formatRunId, type RunId } from './run-id.js';
import { runFailed } from './run-result.js';
import { RunResults } from './run-results.js';
import { requestTemporal } from './temporal-request.js';

/** What {@link Engine} needs. */
export interface EngineOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** The definitions, as they are now: a reload replaces them. */
  readonly code: { readonly registry: Registry };
  /** True when the client shares its `NativeConnection` with a worker of this process: runs then start without a round trip. */
  readonly eagerStart?: boolean;
  /** Where the Temporal UI is, for links. */
  readonly uiUrl?: string;
  /** True when the project has an `afterExecute` hook: runs are then marked, so that workers call it at their end. */
  readonly afterExecute?: boolean;
  /** The project's data flows; their catalog is opened when they are first asked for. */
  readonly dataFlows?: () => Promise<DataFlows>;
  /** The project's attributes; their catalog is opened when they are first asked for. */
  readonly attributes?: () => Promise<Attributes>;
  /** The allowance of long polls for watching histories; that for results unless set. */
  readonly historyPolls?: LongPolls;
}

/** How a run is started. */
export interface StartOptions {
  /** The same key with the same input starts one run, however often it is sent. */
  readonly idempotencyKey?: string;
  /** Which task this is, where its template has `caller_provided` for its identity: there is one for each key. */
  readonly identityKey?: string;
  /** The dead letter that the run takes the place of: there is one for each. See {@link requeueDeadLetter}. */
  readonly requeues?: string;
  /** Who starts it: recorded with the run, and part of an idempotency key's scope. */
  readonly principal?: string;
  /** Gets the outcome by HTTP POST. */
  readonly webhookUrl?: string;
}

/** What can be started: a definition's name, or a pipeline whose types are then known. */
export type Target = string | Pipeline;

/** What a definition is started with. */
export type InputOf<T extends Target> = T extends Pipeline ? PipelineInput<T> : JsonObject;
/** What a run of it ends with. */
export type ResultOf<T extends Target> = T extends Pipeline ? PipelineOutput<T> : Json;

/** A run that is over, and its result. */
export interface Executed<T extends Target> {
  readonly run: Run<ResultOf<T>>;
  readonly result: ResultOf<T>;
}

/** Starts, watches, lists and cancels runs. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #watches: RunWatches;
  readonly #list: ExecutionList;
  readonly #results: RunResults;
  readonly #temporal: Reachability;
  /** Asks the stores of record pipelines, wherever they are: `engine.recordStores.ask('onboarding', { kind: 'status' })`. */
  readonly recordStores: RecordStoreQuestions;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#temporal = new Reachability(() => askTemporal(this.#options.client));
    // What watches runs and what waits for their results draws on the same allowance of long polls.
    const polls = new LongPolls();
    this.#watches = new RunWatches(options.client, options.historyPolls ?? polls);
    this.#results = new RunResults(options.client, polls);
    this.#list = new ExecutionList(options.client);
    const { client, taskQueue } = options;
    this.recordStores = new RecordStoreQuestions({ client, taskQueue, results: this.#results });
  }

  /** Plain Temporal, always in reach. */
  get temporal(): {
    readonly client: Client;
    readonly taskQueue: string;
    readonly namespace: string;
  } {
    const { client, taskQueue } = this.#options;
    return { client, taskQueue, namespace: client.options.namespace };
  }

  /** Whether its Temporal server answers, and has the namespace. Within two seconds; one question serves all who ask in a second. */
  async readiness(): Promise<Readiness> {
    return readinessOf({ temporal: (await this.#temporal.isReachable()) ? 'ok' : 'unreachable' });
  }

  /**
   * What a workflow returns that is none of the runs here. The wait draws on the same allowance of long polls.
   *
   * @param signal - ends the wait; the workflow goes on
   * @throws {@link RunFailed}, and the signal's reason
   */
  async resultOf<T>(handle: WorkflowHandle<() => Promise<T>>, signal?: AbortSignal): Promise<T> {
    try {
      // The workflow's type says what it returns.
      return (await this.#results.of(handle, signal)) as T;
    } catch (error) {
      if (error instanceof WorkflowFailedError) throw runFailed(handle.workflowId, error);
      throw error;
    }
  }

  /**
   * The project's data flows: `(await engine.dataFlows()).run('import-orders')`.
   *
   * @throws {@link CatalogUnavailable}, {@link CatalogNewer}
   */
  async dataFlows(): Promise<DataFlows> {
    const { dataFlows } = this.#options;
    if (dataFlows === undefined) throw new TypeError('This engine was made without data flows.');
    return dataFlows();
  }

  /**
   * Entities, their attributes, and the pipelines that compute them: `(await engine.attributes()).run({ entityType, attribute })`.
   *
   * @throws {@link CatalogUnavailable}, {@link CatalogNewer}
   */
  async attributes(): Promise<Attributes> {
    const { attributes } = this.#options;
    if (attributes === undefined) throw new TypeError('This engine was made without attributes.');
    return attributes();
  }

  /** The project's record pipelines: `engine.recordPipelines.run('onboarding')`. */
  get recordPipelines(): RecordPipelines {
    const { client, taskQueue, code } = this.#options;
    return new RecordPipelines({
      client,
      taskQueue,
      pipelines: () => code.registry.recordPipelines,
    });
  }

  /** Names of the data flows that the deployed code has. */
  get dataFlowNames(): readonly string[] {
    return [...this.#options.code.registry.dataFlows.keys()];
  }

  /** Everything that can be started, by name. */
  get definitions(): ReadonlyMap<string, Definition> {
    return this.#options.code.registry.definitions;
  }

  /** @throws {@link DefinitionNotFound} */
  definition(name: string): Definition {
    const definition = this.definitions.get(name);
    if (definition === undefined) throw new DefinitionNotFound(name);
    return definition;
  }

  /** The page of a run in the Temporal UI, where its address is known. */
  uiLink(workflowId: string, temporalRunId?: string): string | undefined {
    const { uiUrl, client } = this.#options;
    if (uiUrl === undefined) return undefined;
    const path = ['namespaces', client.options.namespace, 'workflows', workflowId];
    const page = temporalRunId === undefined ? path : [...path, temporalRunId, 'history'];
    return `${uiUrl.replace(/\/$/, '')}/${page.map(encodeURIComponent).join('/')}`;
  }

  /**
   * Starts a run.
   *
   * @throws {@link DefinitionNotFound}, {@link ContractViolation} for an input that does not fit,
   *   {@link IdempotencyConflict} for a key that was used for another request, {@link DuplicateTask} and
   *   {@link IdentityKeyMissing} for tasks with an identity, and {@link TemporalUnavailable}
   */
  async start<T extends Target>(
    target: T,
    input: InputOf<T>,
    options: StartOptions = {},
  ): Promise<Run<ResultOf<T>>> {
    const definition = this.definition(typeof target === 'string' ? target : target.name);
    // Whatever its type promised, the input is checked against the contract. Operations fill in defaults and transform
    // for themselves, so that a pipeline gets what was given; a hand-written workflow gets what its contract makes of it.
    const parsed = definition.checkInput(input as JsonObject);
    const valid = definition.kind === 'pipeline' ? (input as JsonObject) : parsed;
    const { requeues, idempotencyKey: key, principal, webhookUrl } = options;
    const repeats = requeues ?? key;
    const { name, kind } = definition;
    const { executionId, isIdentity } = executionIdentity(definition, valid, options);
    const id: RunId = { kind, name, executionId };
    const memo: RunMemo = {
      ...(principal !== undefined && { principal }),
      ...(webhookUrl !== undefined && { webhookUrl }),
      ...(this.#options.afterExecute === true && { afterExecute: true }),
      ...((repeats !== undefined || isIdentity) && {
        fingerprint: requestFingerprint(valid, webhookUrl),
      }),
      ...(definition.kind === 'workflow' && { timeoutMs: definition.timeoutMs }),
      ...(definition.kind === 'task' && deadLetterMemo(definition.plan.lifecycle)),
    };
    try {
      const { client } = this.#options;
      const handle = await requestTemporal(client, () =>
        client.workflow.start(name, this.#startOptions(definition, id, valid, memo)),
      );
      return this.#run<T>(id, handle, handle.firstExecutionRunId);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      if (repeats === undefined) throw isIdentity ? new DuplicateTask(name, executionId) : error;
      return await this.#attach<T>(id, repeats, memo);
    }
  }

  /** Starts a run and waits for its result. Throws what `start` and {@link Run.result} throw. */
  async execute<T extends Target>(
    target: T,
    input: InputOf<T>,
    options: StartOptions = {},
  ): Promise<Executed<T>> {
    const run = await this.start(target, input, options);
    return { run, result: await run.result() };
  }

  /** A run by its execution id. Nothing is asked of the server yet. */
  run(name: string, executionId: string): Run {
    const { kind } = this.definition(name);
    return this.runWithId({ kind, name, executionId });
  }

  /** A run by its whole id, also of a definition that there is no more. Nothing is asked of the server yet. */
  runWithId(id: RunId): Run {
    return this.#run<string>(id, this.#options.client.workflow.getHandle(formatRunId(id)));
  }

  /** One page of runs, newest first. @throws {@link InvalidPageToken} */
  async list(request: ListRequest): Promise<ExecutionPage> {
    return this.#list.page(request);
  }

  #run<T extends Target>(
    id: RunId,
    handle: WorkflowHandle,
    temporalRunId?: string,
    attached = false,
  ): Run<ResultOf<T>> {
    return new Run(
      id,
      { handle, temporalRunId, watches: this.#watches, results: this.#results },
      attached,
    );
  }

  #startOptions(
    definition: Definition,
    id: RunId,
    input: JsonObject,
    memo: RunMemo,
  ): WorkflowStartOptions {
    return {
      workflowId: formatRunId(id),
      taskQueue: this.#options.taskQueue,
      args: [argumentOf(definition, input, memo.principal)],
      workflowExecutionTimeout: timeoutOf(definition) + TIMEOUT_MARGIN_MS,
      // A run's id is used once, also when the run is over: that is what makes a key start one run.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      requestEagerStart: this.#options.eagerStart ?? false,
      ...(Object.keys(memo).length > 0 && { memo: { ...memo } }),
      ...(definition.description !== undefined && {
        staticSummary: startSummary(definition.description),
      }),
    };
  }

  async #attach<T extends Target>(
    id: RunId,
    key: string,
    memo: RunMemo,
  ): Promise<Run<ResultOf<T>>> {
    const { client } = this.#options;
    const handle = client.workflow.getHandle(formatRunId(id));
    const description = await requestTemporal(client, () => handle.describe());
    if (memoOf(description.memo).fingerprint !== memo.fingerprint)
      throw new IdempotencyConflict(key, id.executionId);
    return this.#run<T>(id, handle, firstRunId(description), true);
  }
}

function deadLetterMemo({ onLimit, maxDurationMs }: LifecyclePlan): Partial<RunMemo> {
  if (onLimit !== 'dead_letter') return {};
  return { [DEAD_LETTER_UNTOLD_MEMO]: untoldReason(maxDurationMs) };
}

/** The one argument of a run's workflow. */
function argumentOf(
  definition: Definition,
  input: JsonObject,
  principal: string | undefined,
): unknown {
  if (definition.kind === 'workflow') return input;
  return startArguments<PipelinePlan | TaskPlan>(definition.plan, input, principal);
}

function timeoutOf(definition: Definition): number {
  switch (definition.kind) {
    case 'pipeline':
      return definition.plan.timeoutMs;
    case 'task':
      return definition.plan.lifecycle.maxDurationMs;
    case 'workflow':
      return definition.timeoutMs;
  }
}
