import { jsonBytes, type JsonObject } from '../definition/json.js';
import { FAILURE_TYPES, type Failure } from '../pipeline/failure.js';
import { approvalTimeout } from '../task/task-end.js';
import type { TaskPlan } from '../task/plan.js';
import type { StepOutcome } from '../task/step-outcome.js';
import { takeStepSignal, type StepSignal } from '../task/step-signal.js';
import { TaskSteps } from '../task/task-steps.js';
import type { HistoryEvent } from './history-event.js';
import type { Told } from './progress-writer.js';
import type { RunEventType } from './run-event.js';
import type { StepTimes, TaskProgress } from './task-progress.js';

/** Largest result of a step that is kept, in bytes: a server holds the progress of many runs. */
const MAX_RESULT_BYTES = 16 * 1024;

type Ended = HistoryEvent & { readonly type: 'activity_completed' | 'activity_failed' };

/**
 * Writes the progress of a task, and tells each change of it as an event. It takes one event of history after the other without copying
 * what is known of the others: a task may have thousands of workers, each of which has some.
 */
export class TaskWriter {
  readonly #plan: TaskPlan;
  readonly #steps: TaskSteps;
  readonly #times: Map<string, StepTimes>;
  readonly #scheduled: Map<number, string>;
  /** Of the history event that is being folded, and what it has led to. */
  #time = 0;
  #told: Told[] = [];

  constructor({ plan, state, times, scheduled }: TaskProgress) {
    this.#plan = plan;
    this.#steps = new TaskSteps(plan, state);
    this.#times = new Map(Object.entries(times));
    this.#scheduled = new Map(Object.entries(scheduled).map(([id, name]) => [Number(id), name]));
  }

  /** How far the task is, as a copy that later events do not change. */
  get progress(): TaskProgress {
    return {
      plan: this.#plan,
      state: this.#steps.state,
      times: Object.fromEntries(this.#times),
      scheduled: Object.fromEntries(this.#scheduled),
    };
  }

  /** Takes an event that is about steps; others it does not look at. @returns what to tell of it */
  take(event: HistoryEvent): readonly Told[] {
    this.#time = event.time;
    this.#told = [];
    this.#look(event);
    return this.#told;
  }

  #look(event: HistoryEvent): void {
    switch (event.type) {
      case 'activity_scheduled':
        if (event.step !== undefined) this.#stepScheduled(event.eventId, event.step);
        break;
      case 'activity_completed':
      case 'activity_failed':
        this.#activityEnded(event);
        break;
      case 'activity_cancel_requested':
        this.#letGo(event.scheduledEventId);
        break;
      case 'step_signalled':
        this.#signalled(event.signal);
        break;
      case 'approval_timed_out':
        this.#approvalTimedOut(event.step);
        break;
      case 'run_completed':
      case 'run_failed':
      case 'run_cancelled':
      case 'run_terminated':
      case 'run_timed_out':
        if (event.type === 'run_failed') this.#endedBy(event.failure);
        for (const { name } of this.#steps.inProgress) this.#cancelled(name);
        return;
      default:
        break;
    }
    this.#askForApprovals();
  }

  #stepScheduled(eventId: number, name: string): void {
    this.#scheduled.set(eventId, name);
    if (this.#steps.of(name)?.status === 'in_progress') return;
    const { attemptsBefore } = this.#times.get(name) ?? {};
    this.#steps.start(name);
    this.#times.set(name, {
      startedAt: this.#time,
      ...(attemptsBefore !== undefined && { attemptsBefore }),
    });
    this.#tell('step_started', name);
  }

  #activityEnded(event: Ended): void {
    const name = this.#scheduled.get(event.scheduledEventId);
    if (name === undefined) return;
    this.#scheduled.delete(event.scheduledEventId);
    const attempts = (this.#times.get(name)?.attemptsBefore ?? 0) + event.attempts;
    const startedAt = event.startedAt ?? this.#times.get(name)?.startedAt ?? this.#time;
    const timing = { attempts, durationMs: Math.max(0, this.#time - startedAt) };
    if (event.type === 'activity_completed') {
      if (event.stepOutcome !== undefined) this.#completed(name, timing, event.stepOutcome);
    } else if (event.failure.type === FAILURE_TYPES.workerShutdown) {
      this.#note(name, { attemptsBefore: attempts - 1 });
      this.#tell('step_retrying', name, { attempt: attempts, error: event.failure.message });
    } else if (event.failure.type === FAILURE_TYPES.handlerNotRegistered) {
      this.#note(name, { attemptsBefore: attempts - 1 });
      this.#tell('step_waiting', name, { reason: event.failure.message });
    } else {
      this.#failed(name, timing, event.failure);
    }
  }

  #completed(
    name: string,
    timing: Pick<StepTimes, 'attempts' | 'durationMs'>,
    outcome: StepOutcome,
  ): void {
    const { result, branches, handlerVersion } = outcome;
    const before = this.#skippedBefore(branches);
    const bytes = jsonBytes(result);
    const tooLarge = bytes > MAX_RESULT_BYTES;
    this.#steps.complete(name, { ...outcome, result: tooLarge ? null : result });
    this.#note(name, { ...timing, handlerVersion, ...(tooLarge && { resultBytes: bytes }) });
    this.#tell('step_completed', name, {
      ...told(timing),
      handler_version: handlerVersion,
      ...toldSteering(outcome),
    });
    this.#tellSkipped(name, before);
  }

  /** The steps that are skipped before a decision; undefined where none is taken. */
  #skippedBefore(branches: readonly string[] | undefined): readonly string[] | undefined {
    return branches === undefined ? undefined : this.#skipped();
  }

  #tellSkipped(decision: string, before: readonly string[] | undefined): void {
    if (before === undefined) return;
    for (const skipped of this.#skipped())
      if (!before.includes(skipped)) this.#tell('step_skipped', skipped, { decision });
  }

  #skipped(): readonly string[] {
    return this.#steps.instances
      .map(({ name }) => name)
      .filter((name) => this.#steps.statusOf(name) === 'skipped');
  }

  #failed(
    name: string,
    timing: Pick<StepTimes, 'attempts' | 'durationMs'>,
    failure: Failure,
  ): void {
    const { message: error, type, handlerVersion } = failure;
    this.#steps.fail(name, failure);
    this.#note(name, { ...timing, ...(handlerVersion !== undefined && { handlerVersion }) });
    const version = handlerVersion === undefined ? {} : { handler_version: handlerVersion };
    this.#tell('step_failed', name, { ...told(timing), ...version, error, type });
  }

  /** The workflow lets go of what it cancels at once. */
  #letGo(scheduledEventId: number): void {
    const name = this.#scheduled.get(scheduledEventId);
    this.#scheduled.delete(scheduledEventId);
    if (name !== undefined && this.#steps.of(name)?.status === 'in_progress') this.#cancelled(name);
  }

  /** A step of which nothing could be scheduled has failed, too. */
  #endedBy(failure: Failure): void {
    const { step } = failure;
    const status = step === undefined ? undefined : this.#steps.statusOf(step);
    if (step === undefined || status === undefined || status === 'error') return;
    this.#failed(step, { durationMs: 0 }, failure);
  }

  #cancelled(name: string): void {
    this.#steps.cancel(name);
    this.#note(name, { durationMs: this.#elapsed(name) });
    this.#tell('step_cancelled', name);
  }

  #signalled(signal: StepSignal): void {
    const { step, by } = signal;
    const before = this.#skippedBefore(signal.kind === 'resolve' ? signal.branches : undefined);
    if (!takeStepSignal(this.#plan, this.#steps, signal)) return;
    const who = by === undefined ? {} : { by };
    if (signal.kind === 'retry') {
      this.#tell('step_retried', step, who);
      this.#forgetTimes();
      return;
    }
    if (signal.kind === 'answer') {
      this.#answered(step, who);
      return;
    }
    const { reason } = signal;
    this.#note(step, { ...who, reason });
    this.#tell('step_resolved', step, { ...who, reason, ...toldSteering(signal) });
    this.#tellSkipped(step, before);
    this.#forgetTimes();
  }

  /** An approval is over, by somebody's answer or for want of one. */
  #answered(name: string, who: { readonly by?: string } = {}): void {
    const durationMs = this.#elapsed(name);
    this.#note(name, { ...who, durationMs });
    const failure = this.#steps.of(name)?.failure;
    if (failure === undefined)
      this.#tell('step_completed', name, { ...who, duration_ms: durationMs });
    else this.#tell('step_failed', name, { ...who, error: failure.message, type: failure.type });
  }

  /** Milliseconds since a step began. */
  #elapsed(name: string): number {
    return Math.max(0, this.#time - (this.#times.get(name)?.startedAt ?? this.#time));
  }

  /** Of what begins again, attempts are counted from 1 again. */
  #forgetTimes(): void {
    for (const name of this.#times.keys())
      if (this.#steps.of(name) === undefined) this.#times.delete(name);
  }

  #approvalTimedOut(name: string): void {
    const approval = this.#plan.steps.find((step) => step.name === name)?.approval;
    if (approval === undefined || this.#steps.of(name)?.status !== 'in_progress') return;
    approvalTimeout(this.#steps, name, approval);
    this.#answered(name);
  }

  /** Approvals begin when what they depend on is done: nothing in history says so. */
  #askForApprovals(): void {
    for (const { name } of this.#steps.readyApprovals) {
      this.#steps.start(name);
      this.#times.set(name, { startedAt: this.#time });
      this.#tell('approval_requested', name);
    }
  }

  #note(name: string, more: Partial<StepTimes>): void {
    this.#times.set(name, { startedAt: this.#time, ...this.#times.get(name), ...more });
  }

  #tell(type: RunEventType, step: string, data: JsonObject = {}): void {
    this.#told.push({ type, time: this.#time, data: { step, ...data } });
  }
}

function told({ attempts, durationMs }: Pick<StepTimes, 'attempts' | 'durationMs'>): JsonObject {
  return {
    ...(durationMs !== undefined && { duration_ms: durationMs }),
    ...(attempts !== undefined && { attempts }),
  };
}

function toldSteering({ branches, ranges }: Pick<StepOutcome, 'branches' | 'ranges'>): JsonObject {
  return {
    ...(branches !== undefined && { branches }),
    ...(ranges !== undefined && { batches: ranges.length }),
  };
}
