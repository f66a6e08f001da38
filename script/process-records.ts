import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { coreOf } from '../adapters/record-store/define-store.js';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import { watchRecords } from '../cli/records/record-view.js';
import type { Logger } from '../activities/dependencies.js';
import type { StartedRecordRun } from '../engine/record-pipeline/record-pipelines.js';
import type { Environment } from '../engine/project/secrets.js';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import type { Services } from '../src/pipeline/context.js';
import type { RecordPipeline } from '../src/record-pipeline/record-pipeline.js';
import type { RecordFailure } from '../src/record-pipeline/run.js';
import { RECORD_LIMITS } from '../src/record-pipeline/limits.js';
import { StoreBusy } from '../src/record-store/errors.js';
import { startScriptWorker, type ScriptWorker } from './script-worker.js';

/** How {@link processRecords} works; everything has a default. */
export interface ProcessOptions {
  /** Works only on records that have failed in earlier runs, and not since. */
  readonly retryFailed?: boolean;
  /** Waits for the end of another run on the store, instead of throwing `StoreBusy`. */
  readonly queue?: boolean;
  /** False: nothing is shown. Unless set, how far it is goes to standard error. */
  readonly progress?: boolean;
  /** Cancels the run when it is aborted. What was done is kept. */
  readonly signal?: AbortSignal;
  /** What bodies get as `services`. */
  readonly services?: Partial<Services>;
  /** Gets every line of `log` in bodies; a pino logger fits. Unless set: warnings and errors, to standard error. */
  readonly log?: Logger;
  /** The environment to read `TEMPORAL_*` from; that of the process unless set. */
  readonly env?: Environment;
}

/** What has come of it. */
export interface Processed {
  /** No record has failed. */
  readonly success: boolean;
  /** Of the run: the store knows it by this, and Temporal as `record_pipeline/<name>/<run>`. */
  readonly run: string;
  /** Bodies that have ended well and were written. */
  readonly completed: number;
  readonly failed: number;
  /** The first 1,000 that have failed, with record, step and stack. */
  readonly errors: readonly RecordFailure[];
}

/**
 * Drains a record pipeline from a plain script: starts what it needs (the Temporal server of the `millrace dev` that runs in the
 * working directory or the one that `TEMPORAL_*` names is used, else one of its own is started, which keeps its state in the store's folder),
 * shows how far it is, and stops everything again. A script that was killed goes on with its run when it is started again.
 *
 * @example
 * ```ts
 * const { success, errors } = await processRecords(onboarding);
 * for (const { record, recordId, message } of errors) console.error(`${record} ${recordId}: ${message}`);
 * process.exitCode = success ? 0 : 1;
 * ```
 *
 * @throws {@link DefinitionError} with every problem of the pipeline, {@link StoreBusy} while another run works on the store,
 *   {@link StoreUnusable}, {@link DevServerUnavailable} and {@link DevServerStartFailed} when no Temporal server can be started,
 *   {@link TemporalUnreachable}, and what has kept the run from going on otherwise
 */
export async function processRecords<S extends object>(
  pipeline: RecordPipeline<S>,
  options: ProcessOptions = {},
): Promise<Processed> {
  const store = coreOf(pipeline.store);
  const worker = await startScriptWorker(pipeline, store, options);
  try {
    const started = await beginOrFollow(pipeline.name, store, worker, options);
    await watch(pipeline.name, started, worker, options);
    await ended(started, store);
    return outcome(started.id, store);
  } finally {
    await worker.stop();
  }
}

/** A run that this script had begun before it was killed is gone on with. */
async function beginOrFollow(
  name: string,
  { dir, runs }: SqliteStore,
  { engine, taskQueue }: ScriptWorker,
  { queue, retryFailed }: ProcessOptions,
): Promise<StartedRecordRun> {
  const active = runs.active();
  if (active !== undefined) {
    const { id, workflowId, startedAt } = active;
    const handle = engine.temporal.client.workflow.getHandle(workflowId);
    // The server of a run that `millrace dev` had begun, for one, is not there now.
    const described = await handle.describe().catch(() => undefined);
    if (described?.status.name === 'RUNNING') {
      if (described.taskQueue === taskQueue) return { id, workflowId, handle };
      if (queue !== true) throw new StoreBusy(dir, id, startedAt);
    }
  }
  return engine.recordPipelines.run(name, {
    ...(queue !== undefined && { queue }),
    ...(retryFailed !== undefined && { retryFailed }),
  });
}

async function watch(
  name: string,
  started: StartedRecordRun,
  { engine, failed }: ScriptWorker,
  { progress = true, signal }: ProcessOptions,
): Promise<void> {
  const cancel = (): void => {
    // A run that is over cannot be cancelled, and need not.
    started.handle.cancel().catch(() => undefined);
  };
  if (signal?.aborted === true) cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const over = new AbortController();
  const shown = progress
    ? watchRecords(engine, { name, startedAt: Date.now(), handle: started.handle }, over.signal)
    : Promise.resolve();
  try {
    const result = started.handle.result().catch(() => undefined);
    await Promise.race([result, failed]);
    await shown;
  } finally {
    over.abort();
    await shown.catch(() => undefined);
    signal?.removeEventListener('abort', cancel);
  }
}

/** Waits for the end of the run. @throws what has kept it from going on: that records have failed is an outcome like others */
async function ended({ handle }: StartedRecordRun, store: SqliteStore): Promise<void> {
  try {
    await handle.result();
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : error;
    if (cause instanceof CancelledFailure) return;
    if (!(cause instanceof ApplicationFailure)) throw error;
    if (cause.type === FAILURE_TYPES.recordsFailed) return;
    const active = cause.type === 'StoreBusy' ? store.runs.active() : undefined;
    throw active === undefined ? cause : new StoreBusy(store.dir, active.id, active.startedAt);
  }
}

function outcome(run: string, { runs }: SqliteStore): Processed {
  const { completed = 0, failed = 0, status } = runs.find(run) ?? {};
  const errors = runs.failures(run, RECORD_LIMITS.errorsReturned);
  return { success: status === 'success', run, completed, failed, errors };
}
