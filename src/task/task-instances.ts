import type { StepPlan } from './plan.js';
import type { BatchRange } from './step-outcome.js';

/** Something of a task that is run: a step, or one worker of a batch. */
export interface StepInstance {
  readonly name: string;
  readonly step: StepPlan;
  readonly range?: BatchRange & { readonly id: string };
}

/** All that there is of a task: its steps, and the workers of its batches once it is known how many there are. */
export class TaskInstances {
  /** The steps of the template, in its order. */
  readonly steps: readonly StepPlan[];
  readonly #byName: ReadonlyMap<string, StepPlan>;
  /** The batchable steps, by the workers for which they make ranges. */
  readonly #dividers: ReadonlyMap<string, StepPlan>;
  /** Those of a step, of which there are as many as its ranges say. */
  readonly #known = new Map<string, readonly StepInstance[]>();
  #stepOf: ReadonlyMap<string, StepPlan> | undefined;

  /** @param rangesOf - those that a batchable step has made; undefined until it has */
  constructor(
    steps: readonly StepPlan[],
    private readonly rangesOf: (divider: string) => readonly BatchRange[] | undefined,
  ) {
    this.#byName = new Map(steps.map((step) => [step.name, step]));
    this.steps = [...this.#byName.values()];
    this.#dividers = new Map(
      steps.flatMap((step) => (step.batch === undefined ? [] : [[step.batch.worker, step]])),
    );
  }

  /** Everything, in the order of the plan. */
  get all(): readonly StepInstance[] {
    return this.steps.flatMap((step) => this.of(step));
  }

  /** A step of the template. */
  step(name: string): StepPlan | undefined {
    return this.#byName.get(name);
  }

  /** The step itself, or its workers. */
  of(step: StepPlan): readonly StepInstance[] {
    const known = this.#known.get(step.name);
    if (known !== undefined) return known;
    const instances =
      step.type === 'batch_worker' ? this.#workersOf(step) : [{ name: step.name, step }];
    this.#known.set(step.name, instances);
    return instances;
  }

  /** The step of the template that something of the task is an instance of. */
  stepOf(name: string): StepPlan | undefined {
    this.#stepOf ??= new Map(this.all.map((instance) => [instance.name, instance.step]));
    return this.#stepOf.get(name);
  }

  /** The batchable step that makes the ranges of a worker. */
  dividerOf(worker: StepPlan): StepPlan | undefined {
    return this.#dividers.get(worker.name);
  }

  /** The batch of which a step is the workers. */
  batchOf(step: StepPlan): StepPlan['batch'] {
    return step.type === 'batch_worker' ? this.dividerOf(step)?.batch : undefined;
  }

  /** To be called when a batchable step has made its ranges. */
  rangesChanged(): void {
    this.#known.clear();
    this.#stepOf = undefined;
  }

  #workersOf(step: StepPlan): readonly StepInstance[] {
    const ranges = this.rangesOf(this.dividerOf(step)?.name ?? '');
    // Until it is known how many there are, one stands for all of them.
    if (ranges === undefined) return [{ name: step.name, step }];
    return ranges.map(({ start, end }, at) => {
      const id = String(at + 1).padStart(3, '0');
      return { name: `${step.name}_${id}`, step, range: { id, start, end } };
    });
  }
}
