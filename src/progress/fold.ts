import { attributeProgressData } from '../attribute-pipeline/progress.js';
import { progressData } from '../data-flow/progress.js';
import { recordProgress } from '../record-pipeline/progress.js';
import type { JsonObject } from '../definition/json.js';
import { FAILURE_TYPES, ignoresFailure, isOutOfTime, type Failure } from '../pipeline/failure.js';
import type { IgnoresDecision, QuickReport } from '../pipeline/operation-task.js';
import { begun, progressAtStart } from './beginning.js';
import type { HistoryEvent, OperationPlace } from './history-event.js';
import type { OperationProgress, RunProgress } from './progress.js';
import type { ExecutionStatus } from './status.js';
import { TaskWriter } from './task-writer.js';
import { ProgressWriter, type Timing, type Told } from './progress-writer.js';

/** What the fold remembers between events. Plain JSON, so that continue-as-new can carry it. */
export interface FoldState {
  readonly progress: RunProgress;
  /** Operations of scheduled activities that have not ended, by the number of the scheduling event. */
  readonly scheduled: Readonly<Record<number, OperationPlace>>;
}

/** One step of the fold. */
export interface FoldStep {
  readonly state: FoldState;
  readonly events: readonly Told[];
}

/**
 * Folds one event of a run's history into what is known of the run. Pure: the same history gives the same events, on any
 * machine and at any time, which is what lets a client go on with another server.
 *
 * @param state - undefined before the first event, which must be `run_started`
 */
export function foldEvent(state: FoldState | undefined, event: HistoryEvent): FoldStep {
  if (event.type === 'run_started')
    return {
      state: { progress: progressAtStart(event), scheduled: {} },
      events: [begun(event)],
    };
  if (state === undefined)
    throw new RangeError(`a history begins with run_started, not with ${event.type}`);
  const fold = new HistoryFold(state);
  const events = fold.take(event);
  return { state: fold.state, events };
}

/**
 * Folds one event after the other, to the same as {@link foldEvent}. What is known of a task, which may have thousands of workers, is
 * copied when somebody asks for the state, rather than with each event.
 */
export class HistoryFold {
  #known: FoldState;
  /** Knows of the task what has happened since it was last copied. */
  readonly #task: TaskWriter | undefined;
  #ahead = false;

  constructor(state: FoldState) {
    this.#known = state;
    const { task } = state.progress;
    this.#task = task && new TaskWriter(task);
  }

  /** What is known by now; later events do not change what was given. */
  get state(): FoldState {
    if (this.#ahead && this.#task !== undefined) {
      const progress = { ...this.#known.progress, task: this.#task.progress };
      this.#known = { ...this.#known, progress };
      this.#ahead = false;
    }
    return this.#known;
  }

  get status(): ExecutionStatus {
    return this.#known.progress.status;
  }

  /** @returns what to tell of an event that is not the first of its history */
  take(event: Exclude<HistoryEvent, { type: 'run_started' }>): readonly Told[] {
    const told = this.#task?.take(event) ?? [];
    this.#ahead = true;
    // That there is a task is all that this needs to know of it.
    const { state, events } = new Step(this.#known, event.time).take(event);
    this.#known = state;
    return [...told, ...events];
  }
}

/** One step, while it is taken. */
class Step {
  readonly #writer: ProgressWriter;
  #scheduled: Record<number, OperationPlace>;

  constructor(
    state: FoldState,
    private readonly time: number,
  ) {
    this.#writer = new ProgressWriter(state.progress, time);
    this.#scheduled = { ...state.scheduled };
  }

  take(event: Exclude<HistoryEvent, { type: 'run_started' }>): FoldStep {
    switch (event.type) {
      case 'run_taken':
        this.#writer.taken();
        break;
      case 'activity_scheduled':
        if (event.place !== undefined) this.#operationScheduled(event.eventId, event.place);
        break;
      case 'activity_completed':
      case 'activity_failed':
        this.#operationEnded(event);
        break;
      case 'failure_decided':
        this.#failureDecided(event.decision);
        break;
      case 'rows_moved':
        this.#writer.moved(progressData(event.outcome));
        break;
      case 'records_begun':
        this.#writer.recordsBegun();
        break;
      case 'records_drained':
        this.#writer.drained(recordProgress(event.outcome));
        break;
      case 'attributes_begun':
        this.#writer.attributesBegun(event.begun);
        break;
      case 'attributes_computed':
        this.#writer.attributesComputed(attributeProgressData(event.outcome.attributes));
        break;
      // Its steps are written elsewhere.
      case 'step_signalled':
      case 'approval_timed_out':
      case 'activity_cancel_requested':
        break;
      case 'run_waits':
        this.#writer.waits(event.reason);
        break;
      case 'quick_completed':
        this.#quickCompleted(event.outcome.operations);
        break;
      case 'run_completed':
        this.#writer.completed(event.result as JsonObject);
        break;
      case 'run_failed':
        this.#writer.failed(
          event.failure.type === FAILURE_TYPES.timeout ? 'timed_out' : 'failed',
          event.failure,
        );
        break;
      case 'run_cancelled':
        this.#writer.failed('cancelled', endedBy('cancelled', 'The run was cancelled.'));
        break;
      case 'run_terminated':
        this.#writer.failed(
          'terminated',
          endedBy('terminated', `The run was terminated: ${event.reason}`),
        );
        break;
      case 'run_timed_out':
        this.#writer.failed(
          'timed_out',
          endedBy(FAILURE_TYPES.timeout, 'The run took longer than its timeout.'),
        );
        break;
    }
    return {
      state: { progress: this.#writer.progress, scheduled: this.#scheduled },
      events: this.#writer.events,
    };
  }

  #operationScheduled(eventId: number, place: OperationPlace): void {
    this.#scheduled[eventId] = place;
    this.#writer.startStage(place.stage, this.time);
    this.#writer.startOperation(place.stage, place.operation, this.time);
  }

  #operationEnded(
    event: HistoryEvent & { readonly type: 'activity_completed' | 'activity_failed' },
  ): void {
    const place = this.#scheduled[event.scheduledEventId];
    if (event.type === 'activity_failed') this.#writer.attemptFailed(event.failure);
    if (place === undefined) return;
    const { [event.scheduledEventId]: _, ...rest } = this.#scheduled;
    this.#scheduled = rest;
    const { startedAt = this.time } = event;
    const before = this.#writer.operation(place.stage, place.operation)?.attemptsBefore ?? 0;
    const attempts = before + event.attempts;
    const durationMs = Math.max(0, this.time - startedAt);
    if (event.type === 'activity_completed') {
      this.#writer.endOperation(
        place.stage,
        place.operation,
        { startedAt, durationMs, attempts },
        event.outcome,
      );
    } else if (event.failure.type === FAILURE_TYPES.workerShutdown) {
      this.#tellHandedBack(place, attempts, event.failure);
    } else if (event.failure.type === FAILURE_TYPES.operationNotRegistered) {
      this.#tellWaiting(place, attempts);
    } else {
      const { ignoreErrors } =
        this.#writer.progress.plan?.stages[place.stage]?.operations[place.operation] ?? {};
      const timing = { startedAt, durationMs, attempts };
      const failure = this.#named(place, event.failure, durationMs);
      // The project's predicate is asked next; until then nobody knows what the failure means.
      if (ignoreErrors === 'predicate' && !isOutOfTime(failure))
        this.#holdFailure(place, timing, failure);
      else
        this.#writer.failOperation(
          place.stage,
          place.operation,
          timing,
          failure,
          ignoresFailure(ignoreErrors, failure),
        );
    }
    this.#writer.closeStage(place.stage, this.time);
  }

  /** Temporal does not say whose limit a timeout was: an attempt that took its operation's own was ended by that one. */
  #named(place: OperationPlace, failure: Failure, durationMs: number): Failure {
    if (failure.type !== FAILURE_TYPES.timeout) return failure;
    const own =
      this.#writer.progress.plan?.stages[place.stage]?.operations[place.operation]?.timeoutMs;
    return { ...failure, retryable: own !== undefined && durationMs + CLOCK_SLACK_MS >= own };
  }

  /** An attempt that was given up does not count. */
  #giveUp(place: OperationPlace, attempt: number): OperationProgress | undefined {
    const operation = this.#writer.operation(place.stage, place.operation);
    if (operation !== undefined)
      this.#writer.setOperation(place.stage, place.operation, {
        ...operation,
        attemptsBefore: attempt - 1,
      });
    return operation;
  }

  #tellHandedBack(place: OperationPlace, attempt: number, { message }: Failure): void {
    const operation = this.#giveUp(place, attempt);
    this.#writer.tell('operation_retrying', this.time, {
      operation: operation?.name ?? '',
      stage: this.#writer.stageName(place.stage),
      attempt,
      error: message,
    });
  }

  #tellWaiting(place: OperationPlace, attempt: number): void {
    const operation = this.#giveUp(place, attempt);
    this.#writer.tell('operation_waiting', this.time, {
      operation: operation?.name ?? '',
      stage: this.#writer.stageName(place.stage),
      reason: `the worker that was asked has no operation "${operation?.type ?? ''}"`,
    });
  }

  #holdFailure(
    { stage, operation: index }: OperationPlace,
    timing: Timing,
    failure: Failure,
  ): void {
    const operation = this.#writer.operation(stage, index);
    if (operation !== undefined)
      this.#writer.setOperation(stage, index, { ...operation, ...timing, failure });
  }

  #failureDecided({ place, ignored }: IgnoresDecision): void {
    const {
      failure,
      startedAt = this.time,
      durationMs = 0,
      attempts = 1,
    } = this.#writer.operation(place.stage, place.operation) ?? {};
    if (failure === undefined) return;
    this.#writer.failOperation(
      place.stage,
      place.operation,
      { startedAt, durationMs, attempts },
      failure,
      ignored,
    );
    this.#writer.closeStage(place.stage, this.time);
  }

  #quickCompleted(all: readonly QuickReport[]): void {
    for (const { stage, operation: index, attempts } of all.filter(isHandedOver)) {
      const operation = this.#writer.operation(stage, index);
      if (operation !== undefined)
        this.#writer.setOperation(stage, index, { ...operation, attemptsBefore: attempts });
    }
    const reports = all.filter((report) => !isHandedOver(report));
    const stages = [...new Set(reports.map((report) => report.stage))].sort((a, b) => a - b);
    for (const stage of stages) {
      const ofStage = reports.filter((report) => report.stage === stage);
      const ordered = ofStage.toSorted(
        (a, b) => a.startedAt - b.startedAt || a.operation - b.operation,
      );
      this.#writer.startStage(stage, ordered[0]?.startedAt ?? this.time);
      for (const report of ordered)
        this.#writer.startOperation(stage, report.operation, report.startedAt);
      for (const report of ordered) {
        const { startedAt, durationMs, attempts, failure, outcome } = report;
        const timing = { startedAt, durationMs, attempts };
        if (failure !== undefined)
          this.#writer.failOperation(stage, report.operation, timing, failure, false);
        else this.#writer.endOperation(stage, report.operation, timing, outcome);
      }
      this.#writer.closeStage(
        stage,
        Math.max(...ordered.map((report) => report.startedAt + report.durationMs)),
      );
    }
  }
}

/** How much earlier than at its limit an attempt may seem to have ended: its start and end are told by two clocks. */
const CLOCK_SLACK_MS = 100;

/** Its events follow when the activity that takes over is scheduled. */
function isHandedOver({ outcome, failure }: QuickReport): boolean {
  return outcome === undefined && failure === undefined;
}

function endedBy(type: string, message: string): Failure {
  return { type, message, retryable: false };
}
