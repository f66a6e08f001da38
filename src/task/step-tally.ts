import type { StepState } from './step-state.js';

type Status = StepState['status'];

/** How many instances of each step have begun, by where they are: so that nobody has to look at all of them each time. */
export class StepTally {
  readonly #counts = new Map<string, Map<Status, number>>();
  readonly #begun = new Map<string, number>();
  readonly #totals = new Map<Status, number>();

  add(step: string, status: Status): void {
    this.#count(step, status, 1);
  }

  remove(step: string, status: Status): void {
    this.#count(step, status, -1);
  }

  /** Instances of a step with one of these statuses. */
  of(step: string, ...statuses: readonly Status[]): number {
    const counts = this.#counts.get(step);
    return statuses.reduce((sum, status) => sum + (counts?.get(status) ?? 0), 0);
  }

  /** Instances of a step that have begun. */
  begun(step: string): number {
    return this.#begun.get(step) ?? 0;
  }

  /** Instances of all steps with a status. */
  total(status: Status): number {
    return this.#totals.get(status) ?? 0;
  }

  clear(): void {
    this.#counts.clear();
    this.#begun.clear();
    this.#totals.clear();
  }

  #count(step: string, status: Status, by: number): void {
    const counts = this.#counts.get(step) ?? new Map<Status, number>();
    counts.set(status, (counts.get(status) ?? 0) + by);
    this.#counts.set(step, counts);
    this.#begun.set(step, this.begun(step) + by);
    this.#totals.set(status, this.total(status) + by);
  }
}
