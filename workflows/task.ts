import {
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  defineSignal,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { jsonBytes } from '../src/definition/json.js';
import { TIMEOUT_SUMMARY } from '../src/definition/run-timeout.js';
import { FAILURE_TYPES, isOutOfTime, type Failure } from '../src/pipeline/failure.js';
import { MAX_PAYLOAD_BYTES } from '../src/pipeline/payload-limit.js';
import { DEAD_LETTER_MEMO, DEAD_LETTER_TAG } from '../src/task/dead-letter.js';
import { TASK_LIMITS } from '../src/task/limits.js';
import type { TaskArguments, TaskResult } from '../src/task/plan.js';
import {
  isStepSignal,
  STEP_SIGNAL,
  takeStepSignal,
  type StepSignal,
} from '../src/task/step-signal.js';
import { outOfTime, taskFailure, taskResult, waitedTooLong } from '../src/task/task-end.js';
import type { StepInstance } from '../src/task/task-instances.js';
import { TaskSteps } from '../src/task/task-steps.js';
import { Approvals } from './approvals.js';
import { CommandBudget } from './command-budget.js';
import { startDurably } from './durable-activity.js';
import { applicationFailure, runFailureOf } from './failure.js';
import { continueWhereSuggested, isLongHistory } from './long-history.js';
import { chainStart } from './run-timeout.js';
import { stepActivity } from './step.js';

const stepSignal = defineSignal<[StepSignal]>(STEP_SIGNAL);

/** Version 1 of the rules: runs each step of a task as soon as those are done that it depends on. */
export async function interpretTask(args: TaskArguments): Promise<TaskResult> {
  const { lifecycle } = args.plan;
  const run = new TaskRun(args);
  try {
    return await run.untilEnd();
  } catch (error) {
    if (lifecycle.onLimit === 'dead_letter' && isLimit(error)) setAside(runFailureOf(error));
    throw error;
  } finally {
    run.stop();
  }
}

/** Puts the task on the list of those that somebody has to look at, with its reason. */
function setAside({ type, message }: Failure): void {
  patched(DEAD_LETTER_TAG);
  upsertMemo({ [DEAD_LETTER_MEMO]: `${type}: ${message.slice(0, MAX_REASON)}` });
}

/** Longest reason that lists show, in characters. */
const MAX_REASON = 500;

/** Whether a limit of the lifecycle has ended the task. A step that took too long by its own limit has failed like any other. */
function isLimit(error: unknown): boolean {
  const { type, step } = runFailureOf(error);
  if (type === FAILURE_TYPES.timeout) return step === undefined;
  return type === FAILURE_TYPES.dependencyWait || type === FAILURE_TYPES.retryWait;
}

/** Most bytes of state that a run takes along where it continues as new; one that has more goes on with its long history. */
const MAX_CARRIED_BYTES = MAX_PAYLOAD_BYTES - 256 * 1024;

/** One run of a task, while it is interpreted. */
class TaskRun {
  readonly #steps: TaskSteps;
  readonly #budget = new CommandBudget();
  /** Steps whose activities have not ended. */
  readonly #running = new Set<string>();
  /** What can be stopped alone: workers of batches. */
  readonly #scopes = new Map<string, CancellationScope>();
  /** How often each step was begun, so that no two activities have one id. */
  readonly #begun = new Map<string, number>();
  readonly #approvals: Approvals;
  #news = false;
  #wake: () => void = () => undefined;
  #cancelled: Error | undefined;
  /**
   * Signals that came too early to change anything. Temporal hands signals over before the ends of activities that came in the same
   * workflow task, whatever came first: history tells their order, and who folds it takes them in that one.
   */
  #early: { readonly signal: StepSignal; readonly historyLength: number }[] = [];
  /** Whether a timer waits for the end of the task's time. */
  #isTimed = false;
  /** What ends the task, however its steps go. */
  #limit: Failure | undefined;

  constructor(private readonly args: TaskArguments) {
    const { plan, carried } = args;
    this.#steps = new TaskSteps(plan, carried?.state);
    this.#approvals = new Approvals(this.#steps, carried?.asked ?? {}, () => {
      this.#tellNews();
    });
    setHandler(stepSignal, (signal) => {
      if (isStepSignal(signal)) this.#take(signal);
    });
  }

  /** Runs the steps until none is left that could run. */
  async untilEnd(): Promise<TaskResult> {
    CancellationScope.current().cancelRequested.then(undefined, (error: unknown) => {
      this.#cancelled ??= error instanceof Error ? error : new CancelledFailure(String(error));
      this.#tellNews();
    });
    this.#watchDependencies();
    this.#approvals.resume();
    for (;;) {
      this.#startReady();
      this.#tell();
      if (this.#limit !== undefined) throw applicationFailure(this.#limit);
      const { end } = this.#steps;
      if (end === 'error' && this.#isOver()) throw applicationFailure(taskFailure(this.#steps));
      if (end !== undefined && end !== 'error') return taskResult(this.#steps, end);
      this.#watchTime();
      // Temporal's `condition` does the same with more promises, of each of which the SDK records a stack trace.
      if (!this.#news) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#news = false;
      if (this.#cancelled !== undefined) throw this.#cancelled;
      this.#takeEarly();
      if (this.#isToContinue()) await this.#continue();
    }
  }

  /**
   * Stops what still runs, by the run's own scope: one around the steps would make each promise of all runs in this thread dearer, in Node
   * before 24.
   */
  stop(): void {
    if (this.#running.size > 0) CancellationScope.current().cancel();
  }

  #tellNews(): void {
    this.#news = true;
    this.#wake();
  }

  /** Whether a task whose steps have failed is to end, rather than to wait for somebody. */
  #isOver(): boolean {
    return (
      this.args.plan.lifecycle.onError === 'end' ||
      this.#steps.failed.some(({ name }) => this.#failureType(name) === FAILURE_TYPES.retryWait)
    );
  }

  #failureType(name: string): string | undefined {
    return this.#steps.of(name)?.failure?.type;
  }

  #startReady(): void {
    // Before the run continues as new, what runs is to end.
    if (isLongHistory() && this.#canBeCarried()) return;
    for (const instance of this.#steps.ready) {
      if (this.#running.size >= TASK_LIMITS.stepsAtOnce) return;
      const { name, step } = instance;
      this.#steps.start(name);
      if (step.type === 'approval') {
        this.#approvals.ask(instance);
      } else {
        this.#runStep(instance);
      }
    }
  }

  #runStep(instance: StepInstance): void {
    const { name } = instance;
    const begun = this.#begun.get(name) ?? 0;
    this.#begun.set(name, begun + 1);
    this.#running.add(name);
    const run = { args: this.args, budget: this.#budget, steps: this.#steps, begun };
    const start = (): void => {
      startDurably(
        stepActivity(run, instance),
        (ended) => {
          if ('failure' in ended) this.#failed(name, ended.failure);
          else this.#steps.complete(name, ended.outcome);
          this.#over(name);
        },
        (error) => {
          this.#broken(name, error);
        },
      );
    };
    try {
      if (this.#steps.isStoppable(instance)) this.#inScope(name, start);
      else start();
    } catch (error) {
      this.#broken(name, error);
    }
  }

  /** What runs in a scope of its own can be stopped alone. */
  #inScope(name: string, start: () => void): void {
    const scope = new CancellationScope();
    this.#scopes.set(name, scope);
    scope
      .run(async () => {
        start();
      })
      .catch((error: unknown) => {
        this.#broken(name, error);
      });
  }

  #over(name: string): void {
    this.#running.delete(name);
    // Whoever has a scope of its own would start others in it.
    const isScoped = this.#scopes.delete(name);
    if (isScoped || !this.#goesOn()) this.#tellNews();
  }

  /**
   * Starts what may start now, without a turn of the loop: the SDK records a stack trace for each promise that workflow code makes.
   *
   * @returns false where that is not all there is to do
   */
  #goesOn(): boolean {
    const isInterrupted = (): boolean => this.#limit !== undefined || this.#cancelled !== undefined;
    if (this.#news || this.#early.length > 0 || isInterrupted() || isLongHistory()) return false;
    this.#startReady();
    this.#tell();
    return this.#running.size > 0 && !isInterrupted();
  }

  #broken(name: string, error: unknown): void {
    if (isCancellation(error)) this.#steps.cancel(name);
    // What could not even be scheduled is in no history, and another attempt would find the same.
    else this.#limit ??= { ...runFailureOf(error), step: name };
    this.#over(name);
  }

  #failed(name: string, failure: Failure): void {
    // Its time was what was left of the task's, which would have ended it a moment later.
    if (isOutOfTime(failure)) this.#limit ??= outOfTime(this.args.plan.lifecycle.maxDurationMs);
    this.#steps.fail(name, failure);
    for (const { name: other } of this.#steps.toBeCancelled) this.#scopes.get(other)?.cancel();
  }

  #take(signal: StepSignal): void {
    if (!takeStepSignal(this.args.plan, this.#steps, signal)) {
      this.#early.push({ signal, historyLength: workflowInfo().historyLength });
      return;
    }
    this.#tellNews();
    if (signal.kind === 'answer') this.#approvals.answered(signal.step);
    if (signal.kind === 'resolve') this.#approvals.tellEnd(signal.step);
  }

  #takeEarly(): void {
    const { historyLength } = workflowInfo();
    const early = this.#early.filter((one) => one.historyLength === historyLength);
    this.#early = [];
    for (const { signal } of early) this.#take(signal);
  }

  /**
   * Ends the task when its time is over, while nothing but an answer is waited for. Activities end by then by themselves: what is left of the
   * task's time is theirs, and a timer that never fires would cost each run two events of its history.
   */
  #watchTime(): void {
    if (this.#isTimed || this.#running.size > 0) return;
    this.#isTimed = true;
    const { maxDurationMs } = this.args.plan.lifecycle;
    const leftMs = Math.max(1, chainStart() + maxDurationMs - Date.now());
    sleep(leftMs, { summary: TIMEOUT_SUMMARY }).then(
      () => {
        this.#limit ??= outOfTime(maxDurationMs);
        this.#tellNews();
      },
      () => undefined,
    );
  }

  /** Ends the task where a step has waited too long for those that it depends on. */
  #watchDependencies(): void {
    const { maxDependencyWaitMs } = this.args.plan.lifecycle;
    if (maxDependencyWaitMs === undefined) return;
    const leftMs = Math.max(1, chainStart() + maxDependencyWaitMs - Date.now());
    sleep(leftMs).then(
      () => {
        this.#limit ??= waitedTooLong(this.#steps, maxDependencyWaitMs);
        if (this.#limit !== undefined) this.#tellNews();
      },
      () => undefined,
    );
  }

  /** A run with a long history continues as new once nothing runs that would be lost. */
  #isToContinue(): boolean {
    return isLongHistory() && this.#running.size === 0 && this.#canBeCarried();
  }

  async #continue(): Promise<void> {
    await continueWhereSuggested(() => {
      const { carried: _, ...args } = this.args;
      const { asked } = this.#approvals;
      return continueAsNew({ ...args, carried: { state: this.#steps.state, asked } });
    });
  }

  #canBeCarried(): boolean {
    return jsonBytes(this.#steps.state) + jsonBytes(this.args.input) <= MAX_CARRIED_BYTES;
  }

  /** Shown by the Temporal UI when the run's page is opened; costs no history. */
  #tell(): void {
    const failed = this.#steps.failed.map(({ name }) => name);
    const runs = [...this.#approvals.names, ...this.#running];
    const shown = (names: readonly string[]): string =>
      names.slice(0, MAX_TOLD).join(', ') + (names.length > MAX_TOLD ? ', …' : '');
    setCurrentDetails(
      [
        ...(runs.length > 0 ? [`In progress: **${shown(runs)}**`] : []),
        ...(failed.length > 0 ? [`Failed: **${shown(failed)}**`] : []),
      ].join('. '),
    );
  }
}

/** Most steps that the details of a run name. */
const MAX_TOLD = 10;
