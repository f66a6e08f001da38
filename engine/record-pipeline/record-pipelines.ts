import type { Client, WorkflowHandle } from '@temporalio/client';
import { ulid } from 'ulid';
import { TIMEOUT_MARGIN_MS } from '../../src/definition/run-timeout.js';
import type { CompiledRecordPipeline } from '../../src/record-pipeline/compile.js';
import {
  RECORD_INTERPRETER,
  type RecordArguments,
  type RecordResult,
} from '../../src/record-pipeline/plan.js';
import { startSummary } from '../../src/pipeline/start.js';
import { DefinitionNotFound } from '../errors.js';
import { formatRunId } from '../run-id.js';
import { requestTemporal } from '../temporal-request.js';

/** What {@link RecordPipelines} needs. */
export interface RecordPipelinesOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** Those that the deployed code has, as it is now: a reload replaces them. */
  readonly pipelines: () => ReadonlyMap<string, CompiledRecordPipeline>;
}

/** How a run is started. */
export interface RecordRunOptions {
  /** Waits for the end of another run on the store, instead of failing with `StoreBusy`. */
  readonly queue?: boolean;
  /**
   * Works only on records that have failed in earlier runs of the pipeline, and are still among those of their step. What they
   * make for other steps is left to the next run.
   */
  readonly retryFailed?: boolean;
  /** Who starts it: recorded with the run. */
  readonly principal?: string;
}

/** A run of a record pipeline. */
export interface StartedRecordRun {
  /** A ULID; the store knows the run by it. */
  readonly id: string;
  readonly workflowId: string;
  /** Resolves with what the run has come to, or rejects with Temporal's `WorkflowFailedError`. */
  readonly handle: WorkflowHandle<() => Promise<RecordResult>>;
}

/** Starts runs of record pipelines. */
export class RecordPipelines {
  constructor(private readonly options: RecordPipelinesOptions) {}

  /** Names of those that the deployed code has. */
  get names(): readonly string[] {
    return [...this.options.pipelines().keys()];
  }

  /** One of them, as the deployed code has it. */
  find(name: string): CompiledRecordPipeline | undefined {
    return this.options.pipelines().get(name);
  }

  /** @throws {@link DefinitionNotFound}, {@link TemporalUnavailable} */
  async run(
    name: string,
    { queue, retryFailed, principal }: RecordRunOptions = {},
  ): Promise<StartedRecordRun> {
    const { client, taskQueue, pipelines } = this.options;
    const pipeline = pipelines().get(name);
    if (pipeline === undefined) throw new DefinitionNotFound(name);
    const id = ulid();
    const { timeoutMs, description } = pipeline;
    const argument: RecordArguments = {
      interpreter: RECORD_INTERPRETER,
      kind: 'record_pipeline',
      pipeline: name,
      run: id,
      timeoutMs,
      ...(queue !== undefined && { queue }),
      ...(retryFailed !== undefined && { retryFailed }),
    };
    const workflowId = formatRunId({ kind: 'record_pipeline', name, executionId: id });
    await requestTemporal(client, () =>
      client.workflow.start(name, {
        workflowId,
        taskQueue,
        args: [argument],
        workflowExecutionTimeout: timeoutMs + TIMEOUT_MARGIN_MS,
        ...(principal !== undefined && { memo: { principal } }),
        ...(description !== undefined && { staticSummary: startSummary(description) }),
      }),
    );
    return { id, workflowId, handle: client.workflow.getHandle(workflowId) };
  }
}
