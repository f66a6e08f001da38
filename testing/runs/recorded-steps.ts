import type { RecordedStep, Recording } from '../../engine/recording/recording.js';
import type { StepPlan } from '../../src/task/plan.js';
import { batches, branches, error, success, type StepResult } from '../../src/task/step-result.js';
import { isPlainObject, type Json } from '../../src/definition/json.js';
import type { ObservedHandler } from './observed-handler.js';
import type { StepStub } from './stub.js';

/** How the steps of a recorded run have ended, one after the other. */
export class RecordedSteps {
  readonly #left: Map<string, RecordedStep['ended'][]>;
  readonly #unanswered: ReadonlySet<string>;

  constructor({ steps }: Recording & { readonly kind: 'task' }) {
    this.#left = new Map();
    for (const { step, ended } of steps) {
      const known = this.#left.get(step) ?? [];
      known.push(ended);
      this.#left.set(step, known);
    }
    this.#unanswered = new Set(
      steps.flatMap(({ step, ended }) => (ended.kind === 'unanswered' ? [step] : [])),
    );
  }

  /** True of an approval that nobody has answered. */
  isUnanswered(step: string): boolean {
    return this.#unanswered.has(step);
  }

  /** Names of recorded steps that a task does not have. */
  goneFrom(steps: readonly StepPlan[]): readonly string[] {
    const names = new Set(steps.map(({ name }) => name));
    return [...this.#left.keys()].filter(
      (name) => !names.has(name) && !names.has(name.replace(/_\d{3,}$/, '')),
    );
  }

  /** Does what the step did, each time that it begins. Where nothing was recorded, and it begins all the same, it says so. */
  stubOf(observed: ObservedHandler): StepStub {
    return ({ step }) => {
      const ended = this.#left.get(step.name)?.shift();
      if (ended === undefined || ended.kind === 'unanswered')
        return observed.refuse(
          `the recorded run did not come to step "${step.name}", or not so often. Record another run, give it a stub, or leave it real: real: ['${step.template}'].`,
        );
      return resultOf(ended);
    };
  }
}

function resultOf(ended: RecordedStep['ended'] & { readonly kind: 'done' | 'failed' }): StepResult {
  if (ended.kind === 'failed') {
    const { type, message, details } = ended.failure;
    // Once is enough: what was recorded is its last attempt.
    return error({ type, message, retryable: false, ...(details !== undefined && { details }) });
  }
  const { result } = ended;
  if (ended.branches !== undefined) return branches(ended.branches, objectOf(result));
  return ended.ranges === undefined ? success(result) : batches(ended.ranges, objectOf(result));
}

function objectOf(result: Json): Readonly<Record<string, Json>> {
  return isPlainObject(result) ? result : {};
}
