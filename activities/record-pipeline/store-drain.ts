import { RunLog } from '../../adapters/record-store/run/run-log.js';
import { COUNT_SHARE } from '../../adapters/record-store/run/step-queue.js';
import type { RecordQuery } from '../../adapters/record-store/query.js';
import type { SqliteStore } from '../../adapters/record-store/sqlite-store.js';
import { RECORD_LIMITS } from '../../src/record-pipeline/limits.js';
import type { CompiledRecordPipeline } from '../../src/record-pipeline/compile.js';
import type { DrainOutcome, DrainPlace, RecordCounts } from '../../src/record-pipeline/plan.js';
import type { RunStats, Step } from '../../src/record-pipeline/record-pipeline.js';
import type { RecordFailure } from '../../src/record-pipeline/run.js';
import type { Log } from '../../src/pipeline/context.js';
import type { SharedContext } from './body-context.js';
import { RecordDrain } from './record-drain.js';
import { RunTimers } from './run-timers.js';
import { RunVersions } from './run-versions.js';
import { StepWork } from './step-work.js';

/** What a part of a run is made of. */
export interface StoreDrainParts {
  readonly store: SqliteStore;
  readonly pipeline: CompiledRecordPipeline;
  readonly run: string;
  /** Only records that have failed in earlier runs of the pipeline. */
  readonly retryFailed: boolean;
  readonly context: SharedContext;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called when something was written, at most so often as groups are. */
  readonly onProgress: (outcome: () => DrainOutcome) => void;
}

/** Drains the steps of a run, in their order and again from the first, for as long as one activity may take. */
export class StoreDrain {
  readonly #parts: StoreDrainParts;
  readonly #runs: RunLog;
  readonly #versions: RunVersions;
  readonly #startedAt = performance.now();
  #place: DrainPlace;
  #counts: RecordCounts;
  #here = 0;
  #current: RecordDrain | undefined;
  #errors: readonly RecordFailure[];
  /** Records that are left, by label. */
  #queues: Readonly<Record<string, number>> = {};
  #counted = { atMs: -Infinity, costMs: 0, handled: -1 };

  constructor(parts: StoreDrainParts, place: DrainPlace) {
    const { store, run, log } = parts;
    this.#parts = parts;
    this.#place = place;
    this.#runs = new RunLog(store.live.db);
    this.#versions = new RunVersions(store, run, log);
    const { completed = 0, failed = 0 } = this.#runs.find(run) ?? {};
    this.#counts = { completed, failed };
    this.#errors = this.#runs.failures(run, RECORD_LIMITS.errorsShown);
  }

  /** @throws {@link RunTakenOver}, {@link StoreUnusable} */
  async run(): Promise<DrainOutcome> {
    const { run, pipeline, log } = this.#parts;
    const epoch = this.#runs.takeOver(run, new Date());
    const startedAt = Date.parse(this.#runs.find(run)?.startedAt ?? new Date().toISOString());
    const timers = new RunTimers(pipeline.timers, startedAt, () => this.#stats(startedAt), log);
    try {
      this.#count();
      return this.#outcome(await this.#rounds(epoch));
    } finally {
      timers.stop();
      await this.#versions.settled();
    }
  }

  /** @returns whether there is nothing more to do */
  async #rounds(epoch: number): Promise<boolean> {
    const { steps } = this.#parts.pipeline;
    for (;;) {
      const step = steps[this.#place.step];
      if (step === undefined) {
        if (!this.#place.found) return true;
        this.#place = { step: 0, found: false, round: (this.#place.round ?? 0) + 1 };
        continue;
      }
      const before = this.#counts.completed;
      const isDrained = await this.#step(step, epoch);
      const left = isDrained ? 0 : (this.#current?.queueSize ?? 0);
      this.#current = undefined;
      this.#count();
      this.#queues = { ...this.#queues, [step.label]: left };
      if (this.#isStopped()) return true;
      if (!isDrained) return false;
      if (this.#counts.completed > before) await this.#versions.make('step', step.label);
      this.#place = { ...this.#place, step: this.#place.step + 1 };
    }
  }

  async #step(step: Step<never>, epoch: number): Promise<boolean> {
    const { store, pipeline, run, context, signal, log } = this.#parts;
    const { live } = store;
    const work = this.#work(step);
    this.#current = new RecordDrain({
      live,
      step: work,
      group: { live, log: this.#runs, run, epoch },
      concurrency: pipeline.concurrency,
      enqueueMs: pipeline.enqueueMs,
      hooks: pipeline.hooks,
      context,
      signal,
      log,
      isEnough: (now) => this.#isStopped() || signal.aborted || this.#isEnough(now),
      onFailure: (failure) => {
        this.#counts = { ...this.#counts, failed: this.#counts.failed + 1 };
        if (this.#errors.length < RECORD_LIMITS.errorsShown)
          this.#errors = [...this.#errors, failure];
        this.#place = { ...this.#place, found: true };
      },
      onWritten: (completed) => {
        this.#here += completed;
        this.#counts = { ...this.#counts, completed: this.#counts.completed + completed };
        if (completed > 0) this.#place = { ...this.#place, found: true };
        this.#versions.written(completed, step.label);
        this.#parts.onProgress(() => this.#outcome(false));
      },
    });
    return this.#current.run();
  }

  #work(step: Step<never>): StepWork {
    const { store, pipeline, run, retryFailed } = this.#parts;
    const records = step.records as (of: unknown) => unknown;
    const query = records(pipeline.store) as RecordQuery;
    return new StepWork(step, store.live, query, {
      id: run,
      pipeline: pipeline.name,
      retryFailed,
      round: this.#place.round ?? 0,
    });
  }

  /** Looks how many records each step has left, where that takes little of the time. */
  #count(): void {
    const { reader } = this.#parts.store.live;
    const handled = this.#counts.completed + this.#counts.failed;
    const { atMs, costMs } = this.#counted;
    const startedAt = performance.now();
    if (handled === this.#counted.handled || startedAt - atMs < costMs * COUNT_SHARE) return;
    this.#queues = Object.fromEntries(
      this.#parts.pipeline.steps.map((step) => {
        const { query, selection } = this.#work(step);
        return [step.label, reader.count(query.model, selection)];
      }),
    );
    const now = performance.now();
    this.#counted = { atMs: now, costMs: now - startedAt, handled };
  }

  #isEnough(now: number): boolean {
    return (
      this.#here >= RECORD_LIMITS.recordsPerActivity ||
      now - this.#startedAt >= RECORD_LIMITS.msPerActivity
    );
  }

  /** Errors have ended the run. */
  #isStopped(): boolean {
    const { onError, maxErrors } = this.#parts.pipeline;
    const { failed } = this.#counts;
    return onError === 'stop' ? failed > 0 : failed > maxErrors;
  }

  #stats(startedAt: number): RunStats {
    return {
      queueSize: this.#current?.queueSize ?? 0,
      completed: this.#counts.completed,
      time: (Date.now() - startedAt) / 1_000,
    };
  }

  #outcome(done: boolean): DrainOutcome {
    const seconds = Math.max(0.001, (performance.now() - this.#startedAt) / 1_000);
    const step = this.#parts.pipeline.steps[this.#place.step]?.label;
    const current = this.#current;
    return {
      place: this.#place,
      done,
      counts: this.#counts,
      ...(step !== undefined && { step }),
      queues:
        step === undefined || current === undefined
          ? this.#queues
          : { ...this.#queues, [step]: current.queueSize },
      recordsPerSecond: Math.round((this.#here / seconds) * 10) / 10,
      errors: this.#errors,
    };
  }
}
