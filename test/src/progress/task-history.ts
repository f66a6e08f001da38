import { expect } from '@jest/globals';
import type { Json } from '../../../src/definition/json.js';
import type { Failure } from '../../../src/pipeline/failure.js';
import { foldEvent, type FoldState } from '../../../src/progress/fold.js';
import type { HistoryEvent } from '../../../src/progress/history-event.js';
import type { Told } from '../../../src/progress/progress-writer.js';
import { stepsOf, type StepProgress } from '../../../src/progress/task-progress.js';
import type { TaskPlan } from '../../../src/task/plan.js';
import type { StepOutcome } from '../../../src/task/step-outcome.js';
import type { StepSignal } from '../../../src/task/step-signal.js';
import type { Lifecycle, TaskStep } from '../../../src/task/task.js';
import { planOf } from '../task/step-plans.js';

type Undated<T> = T extends unknown ? Omit<T, 'eventId' | 'time'> : never;

/** The history of a task's run, folded event by event, one second after the other, over JSON as a server may keep it. */
export class History {
  readonly told: Told[] = [];
  readonly events: HistoryEvent[] = [];
  #state: FoldState | undefined;
  #eventId = 0;
  readonly #scheduled = new Map<string, number>();

  constructor(readonly plan: TaskPlan) {
    this.take({ type: 'run_started', name: plan.name, inputKeys: ['order_id'], task: plan });
    this.take({ type: 'run_taken' });
  }

  static of(steps: readonly TaskStep[], lifecycle: Lifecycle = {}): History {
    return new History(planOf(steps, lifecycle));
  }

  take(event: Undated<HistoryEvent>): this {
    this.#eventId += 1;
    const time = (this.#eventId - 1) * 1_000;
    const dated = { ...event, eventId: this.#eventId, time };
    this.events.push(dated);
    const step = foldEvent(this.#state, dated);
    expect(JSON.parse(JSON.stringify(step.state))).toEqual(step.state);
    this.#state = JSON.parse(JSON.stringify(step.state)) as FoldState;
    this.told.push(...step.events);
    return this;
  }

  scheduled(...steps: readonly string[]): this {
    for (const step of steps) {
      this.take({ type: 'activity_scheduled', activityType: 'work', step });
      this.#scheduled.set(step, this.#eventId);
    }
    return this;
  }

  completed(step: string, over: Partial<StepOutcome> = {}, attempts = 1): this {
    const stepOutcome = {
      kind: 'step',
      result: `of ${step}`,
      handlerVersion: '1.2.0',
      ...over,
    } as const;
    const scheduledEventId = this.#scheduled.get(step) ?? 0;
    return this.take({ type: 'activity_completed', scheduledEventId, attempts, stepOutcome });
  }

  done(...steps: readonly string[]): this {
    for (const step of steps) this.scheduled(step).completed(step);
    return this;
  }

  failed(step: string, over: Partial<Failure> = {}, attempts = 1): this {
    const failure = { type: 'Broken', message: `${step} broke`, retryable: false, ...over };
    const scheduledEventId = this.#scheduled.get(step) ?? 0;
    return this.take({ type: 'activity_failed', scheduledEventId, attempts, failure });
  }

  letGo(...steps: readonly string[]): this {
    for (const step of steps) {
      const scheduledEventId = this.#scheduled.get(step) ?? 0;
      this.take({ type: 'activity_cancel_requested', scheduledEventId });
    }
    return this;
  }

  signalled(signal: StepSignal): this {
    return this.take({ type: 'step_signalled', signal });
  }

  get state(): FoldState {
    if (this.#state === undefined) throw new Error('nothing was folded');
    return this.#state;
  }

  get progress(): FoldState['progress'] {
    return this.state.progress;
  }

  get steps(): readonly StepProgress[] {
    const { task } = this.progress;
    return task === undefined ? [] : stepsOf(task);
  }

  step(name: string): StepProgress | undefined {
    return this.steps.find((step) => step.name === name);
  }

  get statuses(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.steps.map(({ name, status }) => [name, status]));
  }

  /** The events, each with its step. */
  get lines(): readonly string[] {
    return this.told.map(({ type, data }) => {
      const { step } = data as { readonly step?: Json };
      return typeof step === 'string' ? `${type} ${step}` : type;
    });
  }
}

/** One step, and one that depends on it. */
export const CHAIN: readonly TaskStep[] = [{ name: 'a' }, { name: 'b', dependencies: ['a'] }];
