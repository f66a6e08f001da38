import { CancellationScope, sleep } from '@temporalio/workflow';
import { APPROVAL_SUMMARY } from '../src/task/step-outcome.js';
import { approvalTimeout } from '../src/task/task-end.js';
import type { StepInstance } from '../src/task/task-instances.js';
import type { TaskSteps } from '../src/task/task-steps.js';
import { tellProcess } from './events.js';

/** The steps of a task that wait for somebody's answer, each for no longer than its time. */
export class Approvals {
  readonly #steps: TaskSteps;
  readonly #onTimeout: () => void;
  /** When they began to wait, in milliseconds since the epoch. */
  readonly #asked: Map<string, number>;
  readonly #timers = new Map<string, CancellationScope>();

  /**
   * @param asked - those that wait already, where a run continues as new
   * @param onTimeout - called when one has ended because nobody has answered
   */
  constructor(steps: TaskSteps, asked: Readonly<Record<string, number>>, onTimeout: () => void) {
    this.#steps = steps;
    this.#asked = new Map(Object.entries(asked));
    this.#onTimeout = onTimeout;
  }

  /** Those that wait, with when they began to. */
  get asked(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#asked);
  }

  get names(): readonly string[] {
    return [...this.#asked.keys()];
  }

  /** Goes on with what a run before this one has asked. */
  resume(): void {
    for (const name of this.#asked.keys()) this.#wait(name);
  }

  ask(instance: StepInstance): void {
    const now = Date.now();
    this.#asked.set(instance.name, now);
    tellProcess.step({ ...newsOf(instance), startedAt: now });
    this.#wait(instance.name);
  }

  /** It is answered: nothing waits any more. */
  answered(name: string): void {
    this.tellEnd(name);
    this.#asked.delete(name);
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }

  /** Tells how a step has ended that no activity tells of: an approval, or what a person resolves. */
  tellEnd(name: string): void {
    const instance = this.#steps.instance(name);
    if (instance === undefined) return;
    const { result = null, failure } = this.#steps.of(name) ?? {};
    const end = failure === undefined ? { result } : { failure };
    tellProcess.step({
      ...newsOf(instance),
      startedAt: this.#asked.get(name) ?? Date.now(),
      end,
    });
  }

  #wait(name: string): void {
    const { approval } = this.#steps.instance(name)?.step ?? {};
    if (approval === undefined) return;
    const asked = this.#asked.get(name) ?? Date.now();
    const leftMs = Math.max(1, asked + approval.timeoutMs - Date.now());
    const timer = new CancellationScope();
    this.#timers.set(name, timer);
    timer
      .run(() => sleep(leftMs, { summary: APPROVAL_SUMMARY + name }))
      .then(
        () => {
          approvalTimeout(this.#steps, name, approval);
          this.tellEnd(name);
          this.#timers.delete(name);
          this.#asked.delete(name);
          this.#onTimeout();
        },
        () => undefined,
      )
      .catch(() => undefined);
  }
}

function newsOf({ name, step }: StepInstance) {
  return { step: step.name, name, declared: step.events ?? [] };
}
