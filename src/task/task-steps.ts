import type { Json } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type { StepPlan, TaskPlan } from './plan.js';
import type { BatchRange, DependencyResult, StepOutcome } from './step-outcome.js';

/** What has happened to a step, or to one worker of a batch. Those of which nothing is known have not begun. */
export interface StepState {
  readonly status: 'in_progress' | 'complete' | 'error' | 'cancelled' | 'resolved_manually';
  readonly result?: Json;
  readonly failure?: Failure;
  readonly branches?: readonly string[];
  readonly ranges?: readonly BatchRange[];
}

/** The steps of a task that have begun, by their names. Plain JSON, so that continue-as-new can carry it. */
export type TaskState = Readonly<Record<string, StepState>>;

/** Something of a task that is run: a step, or one worker of a batch. */
export interface StepInstance {
  readonly name: string;
  readonly step: StepPlan;
  readonly range?: BatchRange & { readonly id: string };
}

/**
 * Where a step is. `pending`: it waits for others. `blocked`: one that it depends on has failed. `skipped`: a decision has chosen
 * other branches. `cancelled`: it was stopped, or never begun, because another worker of its batch has failed.
 */
export type StepStatus = StepState['status'] | 'pending' | 'blocked' | 'skipped';

/** What a task has come to. */
export type TaskEnd = 'complete' | 'resolved_manually' | 'error';

/** Whether a step is part of the task: what no decision leaves open is. */
type Creation = 'created' | 'skipped' | 'open';

/**
 * The steps of a task while it is run: which may start, and what it comes to. Pure: the workflow decides by it, and whoever reads the
 * history folds it to the same.
 */
export class TaskSteps {
  readonly #byName: ReadonlyMap<string, StepPlan>;
  /** The batchable steps, by the workers for which they make ranges. */
  readonly #dividers: ReadonlyMap<string, StepPlan>;
  readonly #state: Map<string, StepState>;
  /** Follows from the state; forgotten when it changes. */
  #creation = new Map<string, Creation>();
  #progress = new Map<string, 'done' | 'failed' | 'waits'>();
  #blocked = new Map<string, boolean>();
  /** Those of a step, of which there are as many as its ranges say. */
  readonly #workers = new Map<string, readonly StepInstance[]>();

  constructor(plan: TaskPlan, state: TaskState = {}) {
    this.#byName = new Map(plan.steps.map((step) => [step.name, step]));
    this.#dividers = new Map(
      plan.steps.flatMap((step) =>
        step.batch === undefined ? [] : [[step.batch.worker, step] as const],
      ),
    );
    this.#state = new Map(Object.entries(state));
  }

  get state(): TaskState {
    return Object.fromEntries(this.#state);
  }

  of(name: string): StepState | undefined {
    return this.#state.get(name);
  }

  /** All that there is of the task by now, in the order of the plan; workers of a batch once it is known how many there are. */
  get instances(): readonly StepInstance[] {
    return [...this.#byName.values()].flatMap((step) => this.#instancesOf(step));
  }

  /** Those that may start now, in the order of the plan. */
  get ready(): readonly StepInstance[] {
    return [...this.#byName.values()].flatMap((step) => {
      if (this.#created(step) !== 'created' || !this.#dependenciesDone(step)) return [];
      const instances = this.#instancesOf(step);
      const waiting = instances.filter(({ name }) => !this.#state.has(name));
      const batch = this.#batchOf(step);
      if (batch === undefined) return waiting;
      if (this.#isStopped(step)) return [];
      const running = instances.filter(({ name }) => this.of(name)?.status === 'in_progress');
      return waiting.slice(0, Math.max(0, batch.parallelism - running.length));
    });
  }

  /** Those that run, or wait for somebody's answer. */
  get inProgress(): readonly StepInstance[] {
    return this.instances.filter(({ name }) => this.of(name)?.status === 'in_progress');
  }

  /** Whether something may have to be stopped while the task goes on. */
  isStoppable({ step }: StepInstance): boolean {
    return this.#batchOf(step)?.failureStrategy === 'fail_fast';
  }

  /** Workers that run in a batch that is not to go on. */
  get toBeCancelled(): readonly StepInstance[] {
    return this.inProgress.filter(({ step }) => this.#isStopped(step));
  }

  /** Steps that have failed for good and that the task cannot do without. */
  get failed(): readonly StepInstance[] {
    return this.instances.filter(
      ({ name, step }) =>
        this.of(name)?.status === 'error' &&
        this.#batchOf(step)?.failureStrategy !== 'continue_on_failure',
    );
  }

  /** Steps that wait for those that they depend on. */
  get waiting(): readonly StepPlan[] {
    return [...this.#byName.values()].filter(
      (step) => this.#created(step) !== 'skipped' && !this.#dependenciesDone(step),
    );
  }

  /** What the task has come to; undefined while something runs or may start. */
  get end(): TaskEnd | undefined {
    if (this.ready.length > 0 || this.inProgress.length > 0) return undefined;
    // What was stopped is not done, either.
    const isDone = [...this.#byName.values()].every(
      (step) => this.#created(step) === 'skipped' || this.#progressOf(step) === 'done',
    );
    if (this.failed.length > 0 || !isDone) return 'error';
    const resolved = [...this.#state.values()].some(({ status }) => status === 'resolved_manually');
    return resolved ? 'resolved_manually' : 'complete';
  }

  /** Where a step or a worker is; undefined for a name that the task does not have. */
  statusOf(name: string): StepStatus | undefined {
    const known = this.of(name);
    if (known !== undefined) return known.status;
    const step = this.#stepOf(name);
    if (step === undefined) return undefined;
    if (this.#created(step) === 'skipped') return 'skipped';
    if (this.#isStopped(step)) return 'cancelled';
    return this.#isBlocked(step) ? 'blocked' : 'pending';
  }

  /** What those that a step depends on have given; of a batch, what each worker has. */
  dependenciesOf(step: StepPlan): readonly DependencyResult[] {
    return step.dependencies.flatMap((dependency) => {
      const plan = this.#byName.get(dependency);
      if (plan === undefined) return [];
      return this.#instancesOf(plan).flatMap(({ name }) => {
        const { result, failure } = this.of(name) ?? {};
        const given = result !== undefined ? { result } : failure !== undefined ? { failure } : {};
        return Object.keys(given).length === 0 ? [] : [{ name, step: dependency, ...given }];
      });
    });
  }

  /** The results of steps on which no other one depends that is part of the task, by name. */
  get results(): Readonly<Record<string, Json>> {
    const taken = new Set(
      [...this.#byName.values()]
        .filter((step) => this.#created(step) === 'created')
        .flatMap(({ dependencies }) => dependencies),
    );
    return Object.fromEntries(
      this.instances.flatMap(({ name, step }) => {
        const result = this.of(name)?.result;
        return result === undefined || taken.has(step.name) ? [] : [[name, result]];
      }),
    );
  }

  start(name: string): void {
    this.#set(name, { status: 'in_progress' });
  }

  complete(
    name: string,
    { result, branches, ranges }: Pick<StepOutcome, 'result' | 'branches' | 'ranges'>,
  ): void {
    this.#set(name, {
      status: 'complete',
      result,
      ...(branches !== undefined && { branches }),
      ...(ranges !== undefined && { ranges }),
    });
  }

  fail(name: string, failure: Failure): void {
    this.#set(name, { status: 'error', failure });
  }

  cancel(name: string): void {
    this.#set(name, { status: 'cancelled' });
  }

  /** Somebody has said what is to be taken for a step's result. */
  resolve(name: string, result: Json): void {
    this.#set(name, { status: 'resolved_manually', result });
    this.#freeStopped(name);
  }

  /** A step that has failed begins again; of a batch that was stopped, all workers that have failed, and those that were stopped. */
  retry(name: string): void {
    const step = this.#stepOf(name);
    if (step === undefined) return;
    this.#state.delete(name);
    if (this.#batchOf(step)?.failureStrategy === 'fail_fast')
      for (const worker of this.#instancesOf(step))
        if (this.of(worker.name)?.status === 'error') this.#state.delete(worker.name);
    this.#changed();
    this.#freeStopped(name);
  }

  /** Whether a step that depends on this one has begun. */
  isTaken(name: string): boolean {
    const step = this.#stepOf(name);
    if (step === undefined) return false;
    return [...this.#byName.values()].some(
      (other) => other.dependencies.includes(step.name) && this.#hasBegun(other),
    );
  }

  /** Workers that were stopped because others had failed are free again when none of those is left. */
  #freeStopped(name: string): void {
    const step = this.#stepOf(name);
    if (step?.type !== 'batch_worker' || this.#isStopped(step)) return;
    for (const worker of this.#instancesOf(step))
      if (this.of(worker.name)?.status === 'cancelled') this.#state.delete(worker.name);
    this.#changed();
  }

  /** Whether no more workers of a batch are to begin. */
  #isStopped(step: StepPlan): boolean {
    if (this.#batchOf(step)?.failureStrategy !== 'fail_fast') return false;
    return this.#instancesOf(step).some(({ name }) => this.of(name)?.status === 'error');
  }

  #set(name: string, state: StepState): void {
    this.#state.set(name, state);
    if (state.ranges !== undefined) this.#workers.clear();
    this.#changed();
  }

  #changed(): void {
    this.#creation = new Map();
    this.#progress = new Map();
    this.#blocked = new Map();
  }

  #instancesOf(step: StepPlan): readonly StepInstance[] {
    const known = this.#workers.get(step.name);
    if (known !== undefined) return known;
    const instances =
      step.type === 'batch_worker' ? this.#workersOf(step) : [{ name: step.name, step }];
    this.#workers.set(step.name, instances);
    return instances;
  }

  #workersOf(step: StepPlan): readonly StepInstance[] {
    const { ranges } = this.of(this.#dividerOf(step)?.name ?? '') ?? {};
    // Until it is known how many there are, one stands for all of them.
    if (ranges === undefined) return [{ name: step.name, step }];
    return ranges.map(({ start, end }, at) => {
      const id = String(at + 1).padStart(3, '0');
      return { name: `${step.name}_${id}`, step, range: { id, start, end } };
    });
  }

  /** The batchable step that makes the ranges of a worker. */
  #dividerOf(worker: StepPlan): StepPlan | undefined {
    return this.#dividers.get(worker.name);
  }

  #batchOf(step: StepPlan): StepPlan['batch'] {
    return step.type === 'batch_worker' ? this.#dividerOf(step)?.batch : undefined;
  }

  /** The step of the template that something of the task is an instance of. */
  #stepOf(name: string): StepPlan | undefined {
    const step = this.#byName.get(name) ?? this.#byName.get(name.replace(/_\d{3,}$/, ''));
    if (step === undefined) return undefined;
    return this.#instancesOf(step).some((instance) => instance.name === name) ? step : undefined;
  }

  #created(step: StepPlan): Creation {
    const known = this.#creation.get(step.name);
    if (known !== undefined) return known;
    const ways = step.dependencies.map((name) => this.#createdThrough(step, name));
    const creation = step.type === 'deferred_convergence' ? joined(ways) : required(ways);
    this.#creation.set(step.name, creation);
    return creation;
  }

  /** Whether a step is part of the task as far as one is concerned that it depends on. */
  #createdThrough(step: StepPlan, dependency: string): Creation {
    const plan = this.#byName.get(dependency);
    if (plan === undefined) return 'skipped';
    const created = this.#created(plan);
    if (plan.branches?.includes(step.name) !== true || created !== 'created') return created;
    const { status, branches = [] } = this.of(dependency) ?? {};
    if (status !== 'complete' && status !== 'resolved_manually') return 'open';
    return branches.includes(step.name) ? 'created' : 'skipped';
  }

  #dependenciesDone(step: StepPlan): boolean {
    return step.dependencies.every((name) => {
      const plan = this.#byName.get(name);
      if (plan === undefined) return false;
      return this.#created(plan) === 'skipped' || this.#progressOf(plan) === 'done';
    });
  }

  #progressOf(step: StepPlan): 'done' | 'failed' | 'waits' {
    const known = this.#progress.get(step.name);
    if (known !== undefined) return known;
    const progress = this.#lookAt(step);
    this.#progress.set(step.name, progress);
    return progress;
  }

  #lookAt(step: StepPlan): 'done' | 'failed' | 'waits' {
    const divider = this.#dividerOf(step);
    // Before its ranges are known, a batch has no workers, which does not mean that it is done.
    if (divider !== undefined && this.#progressOf(divider) !== 'done')
      return this.#progressOf(divider);
    // One without ranges is done when all is there that its workers would need.
    const instances = this.#instancesOf(step);
    if (instances.length === 0 && !this.#dependenciesDone(step))
      return step.dependencies.some((name) => this.#hasFailed(name)) ? 'failed' : 'waits';
    const goesOn = this.#batchOf(step)?.failureStrategy === 'continue_on_failure';
    const states = instances.map(({ name }) => this.of(name)?.status);
    if (!goesOn && states.some((status) => status === 'error')) return 'failed';
    const isDone = (status: StepState['status'] | undefined): boolean =>
      status === 'complete' || status === 'resolved_manually' || (goesOn && status === 'error');
    return states.every(isDone) ? 'done' : 'waits';
  }

  #isBlocked(step: StepPlan): boolean {
    const known = this.#blocked.get(step.name);
    if (known !== undefined) return known;
    const blocked = step.dependencies.some((name) => {
      const plan = this.#byName.get(name);
      if (plan === undefined || this.#created(plan) === 'skipped') return false;
      return (
        this.#progressOf(plan) === 'failed' || (!this.#hasBegun(plan) && this.#isBlocked(plan))
      );
    });
    this.#blocked.set(step.name, blocked);
    return blocked;
  }

  #hasFailed(name: string): boolean {
    const step = this.#byName.get(name);
    return step !== undefined && this.#progressOf(step) === 'failed';
  }

  #hasBegun(step: StepPlan): boolean {
    return this.#instancesOf(step).some(({ name }) => this.#state.has(name));
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
