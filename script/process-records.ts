import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { coreOf } from '../adapters/record-store/define-store.js';
import type { SqliteStore } from '../adapters/record-store/sqlite-store.js';
import { quietLoggers } from '../cli/quiet-loggers.js';
import { watchRecords } from '../cli/records/record-view.js';
import type { Logger } from '../activities/dependencies.js';
import type {
  RecordRunOptions,
  StartedRecordRun,
} from '../engine/record-pipeline/record-pipelines.js';
import { runOrFollow } from '../engine/record-pipeline/record-run-following.js';
import { definedProject } from '../engine/project/defined-project.js';
import type { Environment } from '../engine/project/secrets.js';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import type { Services } from '../src/pipeline/context.js';
import type { RecordPipeline } from '../src/record-pipeline/record-pipeline.js';
import type { RecordFailure } from '../src/record-pipeline/run.js';
import { RECORD_LIMITS } from '../src/record-pipeline/limits.js';
import { StoreBusy } from '../src/record-store/errors.js';
import { startSoloWorker, type SoloWorker } from '../worker/solo-worker.js';

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
  const worker = await startWorker(pipeline, store, options);
  try {
    const { name } = pipeline;
    const { taskQueue, engine } = worker;
    const { dir, runs } = store;
    const before = { dir, taskQueue, active: runs.active() };
    const started = await runOrFollow(engine, name, before, runOptions(options));
    await watch(name, started, worker, options);
    await ended(started, store);
    return outcome(started.id, store);
  } finally {
    await worker.stop();
  }
}

/** A worker for one record pipeline; a server that is started for it keeps its state in the store's folder. */
async function startWorker<S extends object>(
  pipeline: RecordPipeline<S>,
  store: SqliteStore,
  { services, log, env = process.env }: ProcessOptions,
): Promise<SoloWorker> {
  const base = process.cwd();
  store.startAt(base);
  store.open();
  const asyncQueue = `millrace/script/${store.id}/${pipeline.name}`;
  const project = definedProject(
    { recordPipelines: [pipeline] },
    { dir: store.dir, config: { asyncQueue, ...(services !== undefined && { services }) } },
  );
  return startSoloWorker({
    project,
    devDir: base,
    localStores: base,
    ...quietLoggers(false, env),
    ...(log !== undefined && { log, sdkLog: log }),
    env,
    onProgress: (message) => {
      process.stderr.write(`  ${message}\n`);
    },
  });
}

function runOptions({ queue, retryFailed }: ProcessOptions): RecordRunOptions {
  return {
    ...(queue !== undefined && { queue }),
    ...(retryFailed !== undefined && { retryFailed }),
  };
}

async function watch(
  name: string,
  started: StartedRecordRun,
  { engine, failed }: SoloWorker,
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
    ? watchRecords(engine, { name, startedAt: Date.now(), id: started.id }, over.signal)
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
