import type { Json } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type { StepPlan, TaskPlan } from './plan.js';
import { StepCreation } from './step-creation.js';
import type { DependencyResult, StepOutcome } from './step-outcome.js';
import type { StepState, StepStatus, TaskState } from './step-state.js';
import { StepTally } from './step-tally.js';
import { TaskInstances, type StepInstance } from './task-instances.js';

/** What a task has come to. */
export type TaskEnd = 'complete' | 'resolved_manually' | 'error';

/**
 * The steps of a task while it is run: which may start, and what it comes to. Pure: the workflow decides by it, and whoever reads the
 * history folds it to the same.
 */
export class TaskSteps {
  readonly #instances: TaskInstances;
  readonly #creation: StepCreation;
  readonly #state: Map<string, StepState>;
  readonly #tally = new StepTally();
  /** Steps of which nothing is left to do: they stay so until one is begun again. */
  readonly #done = new Set<string>();
  /** Follows from the state; forgotten when it changes. */
  #progress = new Map<string, 'done' | 'failed' | 'waits'>();
  #blocked = new Map<string, boolean>();

  constructor(plan: TaskPlan, state: TaskState = {}) {
    this.#state = new Map(Object.entries(state));
    this.#instances = new TaskInstances(plan.steps, (divider) => this.of(divider)?.ranges);
    this.#creation = new StepCreation(this.#instances, (name) => this.of(name));
    this.#countAll();
  }

  get state(): TaskState {
    return Object.fromEntries(this.#state);
  }

  of(name: string): StepState | undefined {
    return this.#state.get(name);
  }

  /** All that there is of the task by now, in the order of the plan; workers of a batch once it is known how many there are. */
  get instances(): readonly StepInstance[] {
    return this.#instances.all;
  }

  /** A step, or a worker of a batch, by its name; undefined for one that the task does not have by now. */
  instance(name: string): StepInstance | undefined {
    return this.instances.find((instance) => instance.name === name);
  }

  /** Those that may start now, in the order of the plan. */
  get ready(): readonly StepInstance[] {
    return this.#instances.steps.flatMap((step) => this.#readyOf(step));
  }

  /** Those of them that wait for somebody's answer. */
  get readyApprovals(): readonly StepInstance[] {
    return this.#instances.steps
      .filter(({ type }) => type === 'approval')
      .flatMap((step) => this.#readyOf(step));
  }

  /** Those that run, or wait for somebody's answer. */
  get inProgress(): readonly StepInstance[] {
    if (this.#tally.total('in_progress') === 0) return [];
    return this.instances.filter(({ name }) => this.of(name)?.status === 'in_progress');
  }

  /** Whether something may have to be stopped while the task goes on. */
  isStoppable({ step }: StepInstance): boolean {
    return this.#instances.batchOf(step)?.failureStrategy === 'fail_fast';
  }

  /** Workers that run in a batch that is not to go on. */
  get toBeCancelled(): readonly StepInstance[] {
    return this.inProgress.filter(({ step }) => this.#isStopped(step));
  }

  /** Steps that have failed for good and that the task cannot do without. */
  get failed(): readonly StepInstance[] {
    if (this.#tally.total('error') === 0) return [];
    return this.instances.filter(
      ({ name, step }) =>
        this.of(name)?.status === 'error' &&
        this.#instances.batchOf(step)?.failureStrategy !== 'continue_on_failure',
    );
  }

  /** Steps that wait for those that they depend on. */
  get waiting(): readonly StepPlan[] {
    return this.#instances.steps.filter(
      (step) => this.#creation.of(step) !== 'skipped' && !this.#dependenciesDone(step),
    );
  }

  /** What the task has come to; undefined while something runs or may start. */
  get end(): TaskEnd | undefined {
    if (this.#tally.total('in_progress') > 0 || this.ready.length > 0) return undefined;
    // What was stopped is not done, either.
    const isDone = this.#instances.steps.every(
      (step) => this.#creation.of(step) === 'skipped' || this.#progressOf(step) === 'done',
    );
    if (this.failed.length > 0 || !isDone) return 'error';
    const resolved = [...this.#state.values()].some(({ status }) => status === 'resolved_manually');
    return resolved ? 'resolved_manually' : 'complete';
  }

  /** Where a step or a worker is; undefined for a name that the task does not have. */
  statusOf(name: string): StepStatus | undefined {
    const known = this.of(name);
    if (known !== undefined) return known.status;
    const step = this.#instances.stepOf(name);
    if (step === undefined) return undefined;
    if (this.#creation.of(step) === 'skipped') return 'skipped';
    if (this.#isStopped(step)) return 'cancelled';
    return this.#isBlocked(step) ? 'blocked' : 'pending';
  }

  /** What those that a step depends on have given; of a batch, what each worker has. */
  dependenciesOf(step: StepPlan): readonly DependencyResult[] {
    return step.dependencies.flatMap((dependency) => {
      const plan = this.#instances.step(dependency);
      if (plan === undefined) return [];
      return this.#instances.of(plan).flatMap(({ name }) => {
        const { result, failure } = this.of(name) ?? {};
        const given = result !== undefined ? { result } : failure !== undefined ? { failure } : {};
        return Object.keys(given).length === 0 ? [] : [{ name, step: dependency, ...given }];
      });
    });
  }

  /** The results of steps on which no other one depends that is part of the task, by name. */
  get results(): Readonly<Record<string, Json>> {
    const taken = new Set(
      this.#instances.steps
        .filter((step) => this.#creation.of(step) === 'created')
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

  complete(name: string, came: Came): void {
    this.#set(name, { status: 'complete', ...cameOf(came) });
  }

  fail(name: string, failure: Failure): void {
    this.#set(name, { status: 'error', failure });
  }

  cancel(name: string): void {
    this.#set(name, { status: 'cancelled' });
  }

  /** Somebody has said what is to be taken for a step's result, and for what comes next. */
  resolve(name: string, came: Came): void {
    this.#set(name, { status: 'resolved_manually', ...cameOf(came) });
    this.#freeStopped(name);
  }

  /** A step that has failed begins again; of a batch that was stopped, all workers that have failed, and those that were stopped. */
  retry(name: string): void {
    const step = this.#instances.stepOf(name);
    if (step === undefined) return;
    this.#forget(name);
    if (this.#instances.batchOf(step)?.failureStrategy === 'fail_fast')
      for (const worker of this.#instances.of(step))
        if (this.of(worker.name)?.status === 'error') this.#forget(worker.name);
    this.#changed();
    this.#freeStopped(name);
  }

  /** Whether a step that depends on this one has begun. */
  isTaken(name: string): boolean {
    const step = this.#instances.stepOf(name);
    if (step === undefined) return false;
    return this.#instances.steps.some(
      (other) => other.dependencies.includes(step.name) && this.#hasBegun(other),
    );
  }

  #readyOf(step: StepPlan): readonly StepInstance[] {
    if (this.#tally.begun(step.name) >= this.#instances.of(step).length) return [];
    if (this.#creation.of(step) !== 'created' || !this.#dependenciesDone(step)) return [];
    const batch = this.#instances.batchOf(step);
    const running = this.#tally.of(step.name, 'in_progress');
    const room = batch === undefined ? Infinity : batch.parallelism - running;
    if (room <= 0 || this.#isStopped(step)) return [];
    return this.#instances
      .of(step)
      .filter(({ name }) => !this.#state.has(name))
      .slice(0, room);
  }

  /** Workers that were stopped because others had failed are free again when none of those is left. */
  #freeStopped(name: string): void {
    const step = this.#instances.stepOf(name);
    if (step?.type !== 'batch_worker' || this.#isStopped(step)) return;
    for (const worker of this.#instances.of(step))
      if (this.of(worker.name)?.status === 'cancelled') this.#forget(worker.name);
    this.#changed();
  }

  /** Whether no more workers of a batch are to begin. */
  #isStopped(step: StepPlan): boolean {
    if (this.#instances.batchOf(step)?.failureStrategy !== 'fail_fast') return false;
    return this.#tally.of(step.name, 'error') > 0;
  }

  #set(name: string, state: StepState): void {
    this.#uncount(name);
    this.#state.set(name, state);
    if (state.ranges === undefined) {
      this.#count(name, state);
    } else {
      this.#instances.rangesChanged();
      this.#countAll();
    }
    const step = this.#instances.stepOf(name);
    if (step?.branches !== undefined) this.#creation.changed();
    if (step !== undefined) this.#done.delete(step.name);
    this.#changed();
  }

  #forget(name: string): void {
    this.#uncount(name);
    this.#state.delete(name);
    this.#done.clear();
    this.#creation.changed();
  }

  #uncount(name: string): void {
    const step = this.#instances.stepOf(name);
    const before = this.#state.get(name);
    if (step !== undefined && before !== undefined) this.#tally.remove(step.name, before.status);
  }

  #count(name: string, { status }: StepState): void {
    const step = this.#instances.stepOf(name);
    if (step !== undefined) this.#tally.add(step.name, status);
  }

  #countAll(): void {
    this.#tally.clear();
    for (const [name, state] of this.#state) this.#count(name, state);
  }

  #changed(): void {
    this.#progress = new Map();
    this.#blocked = new Map();
  }

  #dependenciesDone(step: StepPlan): boolean {
    return step.dependencies.every((name) => {
      const plan = this.#instances.step(name);
      if (plan === undefined) return false;
      return this.#creation.of(plan) === 'skipped' || this.#progressOf(plan) === 'done';
    });
  }

  #progressOf(step: StepPlan): 'done' | 'failed' | 'waits' {
    if (this.#done.has(step.name)) return 'done';
    const known = this.#progress.get(step.name);
    if (known !== undefined) return known;
    const progress = this.#lookAt(step);
    if (progress === 'done') this.#done.add(step.name);
    else this.#progress.set(step.name, progress);
    return progress;
  }

  #lookAt(step: StepPlan): 'done' | 'failed' | 'waits' {
    const divider = this.#instances.dividerOf(step);
    // Before its ranges are known, a batch has no workers, which does not mean that it is done.
    if (divider !== undefined && this.#progressOf(divider) !== 'done')
      return this.#progressOf(divider);
    // One without ranges is done when all is there that its workers would need.
    const instances = this.#instances.of(step);
    if (instances.length === 0 && !this.#dependenciesDone(step))
      return step.dependencies.some((name) => this.#hasFailed(name)) ? 'failed' : 'waits';
    const goesOn = this.#instances.batchOf(step)?.failureStrategy === 'continue_on_failure';
    const failed = this.#tally.of(step.name, 'error');
    if (!goesOn && failed > 0) return 'failed';
    const done = this.#tally.of(step.name, 'complete', 'resolved_manually');
    return done + (goesOn ? failed : 0) === instances.length ? 'done' : 'waits';
  }

  #isBlocked(step: StepPlan): boolean {
    const known = this.#blocked.get(step.name);
    if (known !== undefined) return known;
    const blocked = step.dependencies.some((name) => {
      const plan = this.#instances.step(name);
      if (plan === undefined || this.#creation.of(plan) === 'skipped') return false;
      return (
        this.#progressOf(plan) === 'failed' || (!this.#hasBegun(plan) && this.#isBlocked(plan))
      );
    });
    this.#blocked.set(step.name, blocked);
    return blocked;
  }

  #hasFailed(name: string): boolean {
    const step = this.#instances.step(name);
    return step !== undefined && this.#progressOf(step) === 'failed';
  }

  #hasBegun(step: StepPlan): boolean {
    return this.#tally.begun(step.name) > 0;
  }
}

/** What a step that is done has come to. */
type Came = Pick<StepOutcome, 'result' | 'branches' | 'ranges'>;

function cameOf({ result, branches, ranges }: Came): Came {
  return {
    result,
    ...(branches !== undefined && { branches }),
    ...(ranges !== undefined && { ranges }),
  };
}
