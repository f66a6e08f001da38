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
import { Body } from './body.js';
import { BodyContext, type SharedContext } from './body-context.js';
import { BodyTimes } from './body-times.js';
import { RecordChanged, StoreUnusable } from '../../src/record-store/errors.js';
import { CommitGroup, type GroupParts } from './commit-group.js';
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
  /** Asked before each record, with the process's time: whether to take no more. */
  readonly isEnough: (now: number) => boolean;
  readonly onFailure: (failure: RecordFailure) => void;
  readonly onWritten: (completed: number) => void;
}

/** Drains the records of one step: until none is left, or until it is enough. */
export class RecordDrain {
  readonly #parts: DrainParts;
  readonly #group: CommitGroup;
  readonly #queue: StepQueue;
  readonly #times: BodyTimes;
  /** Worked on, or not written yet. */
  readonly #busy = new Set<number>();
  #running = 0;
  #wake = nobody;
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
      () => step.selection,
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
    this.#times = new BodyTimes(step.timeoutMs, (body, error) => {
      this.#failed(body, error);
    });
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
      this.#times.stop(this.#broken?.error ?? this.#parts.signal.reason);
      // Another attempt may have begun beside this one.
      if (live.beforeRead === beforeRead) live.beforeRead = undefined;
      this.#group.discard();
    }
  }

  async #drain(): Promise<boolean> {
    const { concurrency, enqueueMs, isEnough } = this.#parts;
    for (;;) {
      this.#checkWhole();
      // Looked at once for each record: even the time costs.
      const now = performance.now();
      if (now - this.#turnAt >= TURN_MS) {
        await this.#giveTurn();
        continue;
      }
      if (isEnough(now)) {
        await this.#finish();
        return false;
      }
      if (this.#running >= concurrency) {
        await this.#oneEnds();
        continue;
      }
      const row = this.#queue.next();
      if (row !== undefined) {
        this.#work(row, now);
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

  #oneEnds(longestMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = longestMs === undefined ? undefined : setTimeout(resolve, longestMs);
      this.#wake = () => {
        this.#wake = nobody;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #giveTurn(): Promise<void> {
    await nextTurn();
    this.#turnAt = performance.now();
  }

  #work(row: Row, now: number): void {
    const { live, step, signal } = this.#parts;
    const { session, record } = live.sessionOf(step.query.model, row, this.#queue.readAt);
    this.#busy.add(idOf(row));
    const progress: StepProgress = { value: record, label: step.label, queueSize: 0 };
    const body = new Body(row, session, progress, signal);
    let ending: void | Promise<void>;
    try {
      ending = live.within(session, () => this.#begin(body));
    } catch (error) {
      body.end();
      this.#fail(body, error);
      return;
    }
    if (!(ending instanceof Promise)) {
      body.end();
      this.#end(body);
      return;
    }
    this.#running += 1;
    this.#times.begin(body, now);
    // Nothing else is promised for a body: each promise costs as much as a quick one takes.
    ending.then(
      () => {
        if (this.#ceases(body)) this.#end(body);
      },
      (error: unknown) => {
        this.#failed(body, error);
      },
    );
  }

  #begin(body: Body): void | Promise<void> {
    const { step, hooks, context } = this.#parts;
    // The step's own types are erased: its records are those of its query.
    const each = step.step.each as (given: StepContext<unknown, unknown>) => void | Promise<void>;
    const given = new BodyContext(context, body.progress.value, body);
    const asked = hooks.beforeProcess?.(this.#sized(body.progress));
    return asked === undefined ? each(given) : asked.then(() => each(given));
  }

  /** @returns false for a body that was given up before: whatever comes of it then is of no account */
  #ceases(body: Body): boolean {
    if (body.isOver) return false;
    this.#times.end(body);
    body.end();
    this.#running -= 1;
    this.#wake();
    return true;
  }

  #failed(body: Body, error: unknown): void {
    if (this.#ceases(body)) this.#fail(body, error);
  }

  /** Counted only for who looks. */
  #sized(progress: StepProgress): StepProgress {
    return Object.defineProperty({ ...progress }, 'queueSize', {
      enumerable: true,
      get: () => this.queueSize,
    });
  }

  #end(body: Body): void {
    // One that goes on when the attempt is over is nobody's any more.
    if (this.#isOver) return;
    const { session } = body;
    this.#group.add(body);
    // The next record is given as it is after this body.
    if (
      session.changesOthers ||
      (this.#parts.step.dependsOnOthers && session.writes.length > 0) ||
      this.#group.isFull
    )
      this.#flush();
    this.#tell(body.progress);
  }

  #fail({ row, session, progress }: Body, error: unknown): void {
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

/** Nobody waits for the end of a body. */
function nobody(): void {}
