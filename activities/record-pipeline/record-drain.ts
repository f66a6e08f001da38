import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LiveRecords } from '../../adapters/record-store/live-records.js';
import { idOf, type Row } from '../../adapters/record-store/row.js';
import { StepQueue } from '../../adapters/record-store/run/step-queue.js';
import type { Log } from '../../src/pipeline/context.js';
import type {
  RecordPipelineDefinition,
  StepContext,
  StepProgress,
} from '../../src/record-pipeline/record-pipeline.js';
import type { RecordFailure } from '../../src/record-pipeline/run.js';
import { BodyContext, type SharedContext } from './body-context.js';
import { BodyLimit } from './body-limit.js';
import { RecordChanged, StoreUnusable } from '../../src/record-store/errors.js';
import { CommitGroup, type Ended, type GroupParts } from './commit-group.js';
import type { StepWork } from './step-work.js';

/** Bodies that end at once leave the process no time for anything else: it is given some so often. */
const TURN_MS = 10;

/** Bodies in progress get so long to end when the attempt is over; then they are left to themselves, and write nothing. */
const FINISH_MS = 5_000;

/** Others than bodies that may wait for the end of a run: its commands, and what bodies have left behind. */
const OTHER_LISTENERS = 1_000;

/** What a drain is made of. */
export interface DrainParts {
  readonly live: LiveRecords;
  readonly step: StepWork;
  readonly group: Omit<GroupParts, 'onSettled' | 'onFailure' | 'onWritten'>;
  readonly concurrency: number;
  readonly enqueueMs: number;
  readonly hooks: Pick<RecordPipelineDefinition<never>, 'beforeProcess' | 'onProgress'>;
  readonly context: SharedContext;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Looked at before each record: whether to take no more. */
  readonly isEnough: () => boolean;
  readonly onFailure: (failure: RecordFailure) => void;
  readonly onWritten: (completed: number) => void;
}

/** Drains the records of one step: until none is left, or until it is enough. */
export class RecordDrain {
  readonly #parts: DrainParts;
  readonly #group: CommitGroup;
  readonly #queue: StepQueue;
  /** Worked on, or not written yet. */
  readonly #busy = new Set<number>();
  #running = 0;
  #wake: () => void = () => undefined;
  #broken: { readonly error: unknown } | undefined;
  #turnAt = performance.now();
  #isOver = false;

  constructor(parts: DrainParts) {
    this.#parts = parts;
    const { live, step, concurrency, signal } = parts;
    // Each body may listen to it.
    setMaxListeners(concurrency + OTHER_LISTENERS, signal);
    this.#queue = new StepQueue(
      live,
      step.query.model,
      step.selection,
      this.#busy,
      step.dependsOnOthers,
    );
    this.#group = new CommitGroup(
      {
        ...parts.group,
        onSettled: (id) => this.#busy.delete(id),
        onFailure: parts.onFailure,
        onWritten: parts.onWritten,
      },
      step,
    );
    this.#group.onBroken((error) => {
      this.#break(error);
    });
  }

  /** Records that are left. */
  get queueSize(): number {
    return this.#queue.size();
  }

  /**
   * Works on records until there are none left.
   *
   * @returns false when it was enough before
   * @throws {@link RunTakenOver}, {@link StoreUnusable}; bodies that go on then write nothing
   */
  async run(): Promise<boolean> {
    const { live } = this.#parts;
    const beforeRead = (): void => {
      this.#flush();
      // Who reads is not to go on either.
      this.#checkWhole();
    };
    live.beforeRead = beforeRead;
    try {
      return await this.#drain();
    } finally {
      this.#isOver = true;
      // Another attempt may have begun beside this one.
      if (live.beforeRead === beforeRead) live.beforeRead = undefined;
      this.#group.discard();
    }
  }

  async #drain(): Promise<boolean> {
    const { concurrency, enqueueMs, isEnough } = this.#parts;
    for (;;) {
      this.#checkWhole();
      if (isEnough()) {
        await this.#finish();
        return false;
      }
      if (this.#running >= concurrency) {
        await this.#oneEnds();
        continue;
      }
      const row = this.#queue.next();
      if (row !== undefined) {
        const begun = this.#work(row);
        if (begun !== undefined) this.#track(begun);
        if (performance.now() - this.#turnAt >= TURN_MS) await this.#giveTurn();
        continue;
      }
      if (this.#running > 0) await this.#oneEnds(enqueueMs);
      const isIdle = this.#running === 0;
      this.#flush();
      this.#checkWhole();
      if (isIdle && this.#busy.size === 0 && this.#queue.isEmpty) return true;
      this.#queue.restart();
    }
  }

  /** Waits for what is worked on, and writes it. Bodies of a run that was cancelled are not waited for without end. */
  async #finish(): Promise<void> {
    const until = performance.now() + FINISH_MS;
    while (this.#running > 0) {
      const leftMs = this.#parts.signal.aborted ? until - performance.now() : undefined;
      if (leftMs !== undefined && leftMs <= 0) break;
      await this.#oneEnds(Math.min(leftMs ?? FINISH_MS, FINISH_MS));
    }
    this.#flush();
    this.#checkWhole();
  }

  #track(working: Promise<void>): void {
    this.#running += 1;
    void working.finally(() => {
      this.#running -= 1;
      this.#wake();
    });
  }

  #oneEnds(longestMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = longestMs === undefined ? undefined : setTimeout(resolve, longestMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #giveTurn(): Promise<void> {
    await nextTurn();
    this.#turnAt = performance.now();
  }

  /** @returns what is left to wait for; undefined when the body has ended already */
  #work(row: Row): Promise<void> | undefined {
    const { live, step } = this.#parts;
    const { session, record } = live.sessionOf(step.query.model, row);
    this.#busy.add(idOf(row));
    const progress: StepProgress = { value: record, label: step.label, queueSize: 0 };
    const limit = new BodyLimit(step.timeoutMs, this.#parts.signal);
    try {
      const ended = live.within(session, () => this.#body(record, progress, limit));
      if (!(ended instanceof Promise)) {
        limit.stop();
        this.#end({ row, session }, progress);
        return undefined;
      }
      return this.#limited(ended, limit).then(
        () => {
          this.#end({ row, session }, progress);
        },
        (error: unknown) => {
          this.#fail({ row, session }, error, progress);
        },
      );
    } catch (error) {
      limit.stop();
      this.#fail({ row, session }, error, progress);
      return undefined;
    }
  }

  #body(record: unknown, progress: StepProgress, limit: BodyLimit): void | Promise<void> {
    const { step, hooks, context } = this.#parts;
    // The step's own types are erased: its records are those of its query.
    const each = step.step.each as (given: StepContext<unknown, unknown>) => void | Promise<void>;
    const given = new BodyContext(context, record, limit);
    const asked = hooks.beforeProcess?.(this.#sized(progress));
    return asked === undefined ? each(given) : asked.then(() => each(given));
  }

  /** Counted only for who looks. */
  #sized(progress: StepProgress): StepProgress {
    return Object.defineProperty({ ...progress }, 'queueSize', {
      enumerable: true,
      get: () => this.queueSize,
    });
  }

  /** A body that takes too long has failed, whatever comes of it later. */
  async #limited(body: Promise<void>, limit: BodyLimit): Promise<void> {
    try {
      await Promise.race([body, limit.passed]);
    } finally {
      limit.stop();
    }
  }

  #end(ended: Ended, progress: StepProgress): void {
    // One that goes on when the attempt is over is nobody's any more.
    if (this.#isOver) return;
    const { session } = ended;
    this.#group.add(ended);
    // The next record is given as it is after this body.
    if (
      session.changesOthers ||
      (this.#parts.step.dependsOnOthers && session.writes.length > 0) ||
      this.#group.isFull
    )
      this.#flush();
    this.#tell(progress);
  }

  #fail({ row, session }: Ended, error: unknown, progress: StepProgress): void {
    // Records that the body was not given, but had from elsewhere, show what is in the store.
    session.undo();
    if (this.#isOver || this.#broken !== undefined) return;
    // What a cancelled run, or a worker that stops, has done to a body is not the record's fault.
    if (this.#parts.signal.aborted) this.#busy.delete(idOf(row));
    // Nor is it what the store has against it.
    else if (error instanceof StoreUnusable && error.file === this.#parts.live.file)
      this.#break(error);
    else {
      if (error instanceof RecordChanged) this.#group.again(row, error);
      else this.#group.fail(idOf(row), this.#parts.step.failure(row, error));
      // Whether any more are begun depends on it.
      this.#flush();
      this.#tell(progress);
    }
  }

  #flush(): void {
    try {
      this.#group.flush();
    } catch (error) {
      this.#break(error);
    }
  }

  /** Nothing more can be written: the attempt is over. */
  #break(error: unknown): void {
    this.#broken ??= { error };
    this.#wake();
  }

  /** Throws what has broken it. */
  #checkWhole(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  #tell(progress: StepProgress): void {
    const { onProgress } = this.#parts.hooks;
    if (onProgress === undefined) return;
    const complain = (error: unknown): void => {
      this.#parts.log.warn({ err: error }, 'onProgress failed');
    };
    try {
      onProgress(this.#sized(progress))?.catch(complain);
    } catch (error) {
      complain(error);
    }
  }
}
