import type { LiveRecords } from '../../adapters/record-store/live-records.js';
import type { RunLog } from '../../adapters/record-store/run/run-log.js';
import { idOf, type Row } from '../../adapters/record-store/row.js';
import type { Session } from '../../adapters/record-store/session.js';
import { RECORD_LIMITS } from '../../src/record-pipeline/limits.js';
import type { RecordFailure } from '../../src/record-pipeline/run.js';
import type { StepWork } from './step-work.js';

/** A body that has ended well, on its way into the store. */
export interface Ended {
  readonly session: Session;
  readonly row: Row;
}

/** What has come of a group. */
interface Settled {
  readonly completed: number;
  readonly failures: readonly RecordFailure[];
}

/** What a group needs. */
export interface GroupParts {
  readonly live: LiveRecords;
  readonly log: RunLog;
  readonly run: string;
  readonly epoch: number;
  /** Called for each record that is through, whatever became of it. */
  readonly onSettled: (id: number) => void;
  /** Called for each record that has failed. */
  readonly onFailure: (failure: RecordFailure) => void;
  /** Called when something was written. */
  readonly onWritten: (completed: number) => void;
}

/**
 * Bodies that have ended wait here to be written in one transaction: for so many others, or so many milliseconds. Whatever is
 * read meanwhile has them written first.
 */
export class CommitGroup {
  #ended: Ended[] = [];
  #failures: RecordFailure[] = [];
  #failedIds: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #restarts = new Map<number, number>();

  constructor(
    private readonly parts: GroupParts,
    private readonly step: StepWork,
  ) {}

  add(ended: Ended): void {
    this.#ended.push(ended);
    this.#schedule();
  }

  /** A body that could not go on, since what it had read was changed: it begins again, unless it has too often. */
  again(row: Row, error: Error): void {
    const [failure] = this.#again(row, error);
    if (failure === undefined) this.parts.onSettled(idOf(row));
    else this.fail(idOf(row), failure);
  }

  get isFull(): boolean {
    return this.#ended.length >= RECORD_LIMITS.groupSize;
  }

  fail(id: number, failure: RecordFailure): void {
    this.#failures.push(failure);
    this.#failedIds.push(id);
    this.#schedule();
  }

  /** Writes what has ended, now. @throws {@link RunTakenOver}, {@link StoreUnusable}; nothing of the group is written then */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#ended.length === 0 && this.#failures.length === 0) return;
    const [ended, failures, failedIds] = [this.#ended, this.#failures, this.#failedIds];
    [this.#ended, this.#failures, this.#failedIds] = [[], [], []];
    const settled = this.#written(ended, failures);
    for (const id of failedIds) this.parts.onSettled(id);
    for (const { row } of ended) this.parts.onSettled(idOf(row));
    for (const failure of [...failures, ...settled.failures]) this.parts.onFailure(failure);
    this.parts.onWritten(settled.completed);
  }

  /** Drops what was not written: the attempt is over. */
  discard(): void {
    clearTimeout(this.#timer);
    for (const { session } of this.#ended) session.undo();
    [this.#ended, this.#failures, this.#failedIds] = [[], [], []];
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      try {
        this.flush();
      } catch (error) {
        this.#broken(error);
      }
    }, RECORD_LIMITS.groupMs);
  }

  /** Called where nobody else can be told of an error. */
  #broken: (error: unknown) => void = () => undefined;

  onBroken(act: (error: unknown) => void): void {
    this.#broken = act;
  }

  #written(ended: readonly Ended[], failures: readonly RecordFailure[]): Settled {
    try {
      return this.#write(ended, failures);
    } catch (error) {
      // Records that bodies had from elsewhere show what is in the store.
      for (const { session } of ended) session.undo();
      throw error;
    }
  }

  #write(ended: readonly Ended[], failures: readonly RecordFailure[]): Settled {
    const { live, log, run, epoch } = this.parts;
    const found: RecordFailure[] = [];
    let completed = 0;
    live.commit(
      ended.map(({ session }) => session),
      {
        last: (committed) => {
          const written: Ended[] = [];
          for (const [at, one] of ended.entries()) {
            const outcome = committed[at];
            if (outcome === undefined || outcome.kind === 'written') {
              written.push(one);
              continue;
            }
            one.session.undo();
            if (outcome.kind === 'refused') found.push(this.step.failure(one.row, outcome.error));
            else found.push(...this.#again(one.row, outcome.error));
          }
          completed = written.length;
          found.push(...this.#passes(written));
          for (const failure of [...failures, ...found]) log.fail(run, failure);
          log.advance(run, epoch, completed, failures.length + found.length, new Date());
        },
      },
    );
    return { completed, failures: found };
  }

  /** A body that is to begin again is found by the next look at the query. */
  #again(row: Row, error: Error): readonly RecordFailure[] {
    const restarts = (this.#restarts.get(idOf(row)) ?? 0) + 1;
    if (restarts > RECORD_LIMITS.restarts) return [this.step.failure(row, error)];
    this.#restarts.set(idOf(row), restarts);
    return [];
  }

  /** Records that are worked on too often. */
  #passes(written: readonly Ended[]): readonly RecordFailure[] {
    const { log, run } = this.parts;
    return this.step.passed(written.map(({ row }) => row)).flatMap((row) => {
      const passes = log.pass(run, this.step.label, idOf(row));
      return passes < this.step.maxPasses
        ? []
        : [this.step.failure(row, this.step.tooManyPasses(passes))];
    });
  }
}
