import type { Json } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type { StepType, TaskPlan } from '../task/plan.js';
import type { StepStatus, TaskState } from '../task/step-state.js';
import { TaskSteps } from '../task/task-steps.js';

/** How far the run of a task is. Plain JSON. */
export interface TaskProgress {
  readonly plan: TaskPlan;
  /** Of the steps that have begun. Results that are too large are left out of it. */
  readonly state: TaskState;
  readonly times: Readonly<Record<string, StepTimes>>;
  /** Steps of activities that have not ended, by the number of the scheduling event. */
  readonly scheduled: Readonly<Record<number, string>>;
}

/** What is known of a step beside where it is. */
export interface StepTimes {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs?: number;
  readonly attempts?: number;
  /** Attempts before its present activity was scheduled, which counts from 1 again. */
  readonly attemptsBefore?: number;
  /** Of the code that ran. */
  readonly handlerVersion?: string;
  /** Bytes of a result that is too large to be shown. */
  readonly resultBytes?: number;
  /** Who has resolved or answered it, and why. */
  readonly by?: string;
  readonly reason?: string;
}

/** Where one step of a task is, or one worker of a batch. */
export interface StepProgress extends Partial<StepTimes> {
  readonly name: string;
  /** The step of the template: another name where it is a worker of a batch. */
  readonly step: string;
  readonly type: StepType;
  readonly status: StepStatus;
  readonly handler?: string;
  readonly dependencies: readonly string[];
  readonly result?: Json;
  readonly failure?: Failure;
}

/** All steps of a task, in the order of its plan. */
export function stepsOf({ plan, state, times }: TaskProgress): readonly StepProgress[] {
  const steps = new TaskSteps(plan, state);
  return steps.instances.map(({ name, step }): StepProgress => {
    const { result, failure } = steps.of(name) ?? {};
    const { resultBytes } = times[name] ?? {};
    return {
      name,
      step: step.name,
      type: step.type,
      status: steps.statusOf(name) ?? 'pending',
      ...(step.handler !== undefined && { handler: step.handler.callable }),
      dependencies: step.dependencies,
      ...times[name],
      ...(result !== undefined && resultBytes === undefined && { result }),
      ...(failure !== undefined && { failure }),
    };
  });
}
