import type { Json, JsonObject } from '../definition/json.js';
import type { TaskState } from './step-state.js';

/** The version of the rules by which the workflow runs a task. Version n stays in the code until no run can hold it. */
export const TASK_INTERPRETER = 1;

/**
 * What a step is: work (`standard`); a choice of the steps that follow (`decision`); what divides work into ranges
 * (`batchable`), and what works on one of them (`batch_worker`); what comes after whichever branches were chosen
 * (`deferred_convergence`); a person's answer (`approval`).
 */
export const STEP_TYPES = [
  'standard',
  'decision',
  'batchable',
  'batch_worker',
  'deferred_convergence',
  'approval',
] as const;
export type StepType = (typeof STEP_TYPES)[number];

/** How the wait before another attempt grows. */
export const BACKOFFS = ['none', 'linear', 'exponential', 'fibonacci'] as const;
export type Backoff = (typeof BACKOFFS)[number];

/** What becomes of a batch when one of its workers has failed for good. */
export const FAILURE_STRATEGIES = ['continue_on_failure', 'fail_fast', 'isolate'] as const;
export type FailureStrategy = (typeof FAILURE_STRATEGIES)[number];

/** When an event of a step is published. */
export const EVENT_CONDITIONS = [
  'success',
  'failure',
  'retryable_failure',
  'permanent_failure',
  'always',
] as const;
export type EventCondition = (typeof EVENT_CONDITIONS)[number];

/** Which code a step runs. */
export interface HandlerPlan {
  /** The handler's name. */
  readonly callable: string;
  /** One of the handler's methods, where it is not `run`. */
  readonly method?: string;
  /** What `getConfig` reads. */
  readonly initialization?: JsonObject;
}

/** Retries of a step, in milliseconds. */
export interface StepRetryPlan {
  /** Counting the first. */
  readonly maximumAttempts: number;
  readonly backoff: Backoff;
  readonly baseMs: number;
  readonly maximumMs: number;
}

/** How the work of a batchable step is divided. */
export interface BatchPlan {
  /** Items of one range, where the handler tells only how many there are. */
  readonly size: number;
  /** Most workers that run at once. */
  readonly parallelism: number;
  /** The field that the cursor counts, for the handlers to know. */
  readonly cursorField?: string;
  /** The `batch_worker` step of which there is one for each range. */
  readonly worker: string;
  readonly failureStrategy: FailureStrategy;
}

/** What a step waits for that a person answers. */
export interface ApprovalPlan {
  /** How long it waits. */
  readonly timeoutMs: number;
  /** What happens then: the step fails, or completes with `result`. */
  readonly onTimeout: 'fail' | 'complete';
  readonly result?: Json;
}

/** Something that a step tells the process around it. */
export interface StepEventPlan {
  readonly name: string;
  readonly condition: EventCondition;
  readonly schema?: JsonObject;
}

/** One step, compiled. */
export interface StepPlan {
  readonly name: string;
  readonly type: StepType;
  /** Absent for approvals. */
  readonly handler?: HandlerPlan;
  readonly dependencies: readonly string[];
  readonly retry: StepRetryPlan;
  /** Of one attempt. */
  readonly timeoutMs?: number;
  readonly resultSchema?: JsonObject;
  /** The steps that a decision may choose. */
  readonly branches?: readonly string[];
  readonly batch?: BatchPlan;
  readonly approval?: ApprovalPlan;
  readonly events?: readonly StepEventPlan[];
}

/** What ends a task, or sets it aside, however its steps go. */
export interface LifecyclePlan {
  readonly maxDurationMs: number;
  /** The longest that a step may wait for the steps that it depends on, from the start of the task. */
  readonly maxDependencyWaitMs?: number;
  /** The longest wait before another attempt; a step that would have to wait longer fails. */
  readonly maxRetryWaitMs?: number;
  /** What a limit that was reached does: `dead_letter` puts the task on the list of those that somebody has to look at. */
  readonly onLimit: 'fail' | 'dead_letter';
  /** What a task does whose steps have failed: `wait` keeps it open for somebody who has them retried or resolves them. */
  readonly onError: 'end' | 'wait';
}

/** A task template compiled to plain JSON: everything that decides what a run does, and no code. Pinned when a run starts. */
export interface TaskPlan {
  readonly kind: 'task';
  readonly interpreter: typeof TASK_INTERPRETER;
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  readonly lifecycle: LifecyclePlan;
  /** Each after those that it depends on. */
  readonly steps: readonly StepPlan[];
}

/** The one argument of a task's workflow. */
export interface TaskArguments {
  readonly plan: TaskPlan;
  /** The task's fields. */
  readonly input: JsonObject;
  readonly principal?: string;
  /** Where a run that continues as new goes on. */
  readonly carried?: {
    readonly state: TaskState;
    /** When the steps began that wait for somebody's answer, in milliseconds since the epoch. */
    readonly asked: Readonly<Record<string, number>>;
  };
}

/** True for the argument of a task's workflow that this code can run. */
export function isTaskArguments(value: unknown): value is TaskArguments {
  if (typeof value !== 'object' || value === null || !('plan' in value) || !('input' in value))
    return false;
  const { plan } = value;
  return isTaskPlan(plan) && (plan.interpreter as number) === TASK_INTERPRETER;
}

/** True for the plan of a task, of whatever interpreter. */
export function isTaskPlan(plan: unknown): plan is TaskPlan {
  return typeof plan === 'object' && plan !== null && 'kind' in plan && plan.kind === 'task';
}

/** What a task that did not fail has come to, as its workflow returns it. */
export interface TaskResult {
  readonly status: 'complete' | 'resolved_manually';
  /** What the steps have returned that no other step has taken, by name. */
  readonly results: Readonly<Record<string, Json>>;
  /** Steps whose results are too large to be returned with the others; the status of the task has them. */
  readonly left_out?: readonly string[];
}
