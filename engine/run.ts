import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import type { Json } from '../src/definition/json.js';
import type { EventPosition, RunEvent } from '../src/progress/run-event.js';
import { STEP_SIGNAL, type StepSignal } from '../src/task/step-signal.js';
import { RunNotFound } from './errors.js';
import { executionOf, firstRunId, type Execution } from './execution.js';
import type { RunWatches } from './history/run-watches.js';
import type { RunId } from './run-id.js';
import { formatRunId } from './run-id.js';
import { runFailed } from './run-result.js';
import type { RunResults } from './run-results.js';
import { isUnknownWorkflow } from './running-workflow.js';
import { requireStep } from './step-request.js';
import { requestTemporal } from './temporal-request.js';

/** What a run needs of its engine. */
export interface RunDependencies {
  readonly handle: WorkflowHandle;
  readonly watches: RunWatches;
  readonly results: RunResults;
  /** Temporal's id of this execution; undefined where only the workflow id is known so far. */
  readonly temporalRunId?: string | undefined;
}

/** What a reader of events wants. */
export interface EventsOptions {
  /** Only what comes after this event. */
  readonly after?: EventPosition | undefined;
  /** Also live hints: retries and progress, best effort and without ids. False unless set. */
  readonly hints?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** One run, whether it goes on or is over. */
export class Run<Result = Json> {
  /** The workflow id: `pipeline/summarize/01J…`. */
  readonly id: string;
  readonly executionId: string;
  readonly name: string;
  /** True when the run existed before: an idempotent request was repeated. */
  readonly attached: boolean;
  #temporalRunId: string | undefined;

  constructor(
    id: RunId,
    private readonly deps: RunDependencies,
    attached = false,
  ) {
    this.id = formatRunId(id);
    this.executionId = id.executionId;
    this.name = id.name;
    this.attached = attached;
    this.#temporalRunId = deps.temporalRunId;
  }

  /**
   * Waits for the result.
   *
   * @throws {@link RunFailed} when the run ends without one, {@link RunNotFound} when there is no such run, and the
   *   signal's reason when it is aborted; the run goes on then
   */
  async result({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Result> {
    try {
      // The workflow's result is what the definition's contract says it is.
      return (await this.deps.results.of(this.deps.handle, signal)) as Result;
    } catch (error) {
      if (error instanceof WorkflowFailedError) throw runFailed(this.id, error);
      throw this.#translated(error);
    }
  }

  /** The run's state as it is now, folded from its history. @throws {@link RunNotFound}, {@link TemporalUnavailable} */
  async describe(): Promise<Execution> {
    try {
      const description = await this.#ask((handle) => handle.describe());
      const fold = await this.deps.watches.look(this.id, firstRunId(description));
      return executionOf(this.executionId, description, fold.progress);
    } catch (error) {
      throw this.#translated(error);
    }
  }

  /** The run's events: past ones first, then those to come, until the run is over. @throws {@link RunNotFound} */
  async *events(options: EventsOptions = {}): AsyncGenerator<RunEvent> {
    const runId = await this.#runId();
    try {
      yield* this.deps.watches.watch(this.id, runId).events(options);
    } catch (error) {
      throw this.#translated(error);
    }
  }

  /** Asks the run to end. Operations in progress are aborted; the status becomes `cancelled`. @throws {@link RunNotFound} */
  async cancel(): Promise<void> {
    try {
      await this.#ask((handle) => handle.cancel());
    } catch (error) {
      throw this.#translated(error);
    }
  }

  /**
   * Tells a task what becomes of one of its steps: one that has failed is retried or resolved, an approval is answered. The task does
   * so a little later.
   *
   * @throws {@link StepRefused}, {@link ContractViolation} for a result that the step's schema refuses, {@link RunNotFound}
   */
  async tellStep(signal: StepSignal): Promise<void> {
    requireStep(await this.describe(), signal);
    try {
      await this.#ask((handle) => handle.signal(STEP_SIGNAL, signal));
    } catch (error) {
      throw this.#translated(error);
    }
  }

  async #runId(): Promise<string> {
    try {
      this.#temporalRunId ??= firstRunId(await this.#ask((handle) => handle.describe()));
      return this.#temporalRunId;
    } catch (error) {
      throw this.#translated(error);
    }
  }

  #ask<T>(request: (handle: WorkflowHandle) => Promise<T>): Promise<T> {
    const { handle } = this.deps;
    return requestTemporal(handle.client, () => request(handle));
  }

  #translated(error: unknown): unknown {
    return isUnknownWorkflow(error) ? new RunNotFound(this.name, this.executionId) : error;
  }
}
