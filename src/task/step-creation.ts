import type { StepPlan } from './plan.js';
import type { StepState } from './step-state.js';
import type { TaskInstances } from './task-instances.js';

/** Whether a step is part of the task: what no decision leaves open is. */
export type Creation = 'created' | 'skipped' | 'open';

/** Which steps are part of a task, as its decisions have chosen. */
export class StepCreation {
  /** Follows from the decisions; forgotten when one of them changes. */
  #known = new Map<string, Creation>();

  constructor(
    private readonly instances: TaskInstances,
    private readonly stateOf: (step: string) => StepState | undefined,
  ) {}

  of(step: StepPlan): Creation {
    const known = this.#known.get(step.name);
    if (known !== undefined) return known;
    const ways = step.dependencies.map((name) => this.#through(step, name));
    const creation = step.type === 'deferred_convergence' ? joined(ways) : required(ways);
    this.#known.set(step.name, creation);
    return creation;
  }

  /** To be called when the state of a decision has changed. */
  changed(): void {
    this.#known = new Map();
  }

  /** Whether a step is part of the task as far as one is concerned that it depends on. */
  #through(step: StepPlan, dependency: string): Creation {
    const plan = this.instances.step(dependency);
    if (plan === undefined) return 'skipped';
    const created = this.of(plan);
    if (plan.branches?.includes(step.name) !== true || created !== 'created') return created;
    const { status, branches = [] } = this.stateOf(dependency) ?? {};
    if (status !== 'complete' && status !== 'resolved_manually') return 'open';
    return branches.includes(step.name) ? 'created' : 'skipped';
  }
}

/** A step is part of the task if all that it depends on is. */
function required(ways: readonly Creation[]): Creation {
  if (ways.includes('skipped')) return 'skipped';
  return ways.includes('open') ? 'open' : 'created';
}

/** A convergence comes after those of its dependencies that are part of the task, once it is known which they are. */
function joined(ways: readonly Creation[]): Creation {
  if (ways.includes('open')) return 'open';
  return ways.includes('created') || ways.length === 0 ? 'created' : 'skipped';
}
