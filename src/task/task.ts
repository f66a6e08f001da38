import type { z } from 'zod';
import { DEFINITION, type Branded } from '../definition/brand.js';
import { callerSite } from '../definition/call-site.js';
import type { Duration } from '../definition/duration.js';
import type { Json, JsonObject } from '../definition/json.js';
import type { Site } from '../definition/problem.js';
import type { StepHandler } from './handler.js';
import type { Backoff, EventCondition, FailureStrategy, StepType } from './plan.js';

/** Which code a step runs. */
export interface HandlerUse {
  /** The handler, or its name. */
  readonly callable: StepHandler | string;
  /** One of its methods; `run` unless set. */
  readonly method?: string;
  /** What `getConfig` reads. */
  readonly initialization?: JsonObject;
}

/** Retries of a step. */
export interface StepRetry {
  /** False: a step that has failed is not tried again. */
  readonly retryable?: boolean;
  /** Counting the first; 3 unless set, 1 to 100. */
  readonly maxAttempts?: number;
  /** How the wait grows; `exponential` unless set. */
  readonly backoff?: Backoff;
  /** Before the second attempt, in milliseconds; 1,000 unless set. */
  readonly backoffBaseMs?: number;
  /** The longest wait, in milliseconds; 30,000 unless set. */
  readonly maxBackoffMs?: number;
}

/** How the work of a batchable step is divided. */
export interface BatchConfig {
  /** Items of one range, where the handler tells only how many there are; 1,000 unless set. */
  readonly batchSize?: number;
  /** Most workers that run at once; 10 unless set. */
  readonly parallelism?: number;
  /** The field that the cursor counts, for the handlers to know. */
  readonly cursorField?: string;
  /** The step of type `batch_worker` of which there is one for each range. */
  readonly workerTemplate: string;
  /**
   * What becomes of the batch when a worker has failed for good. `continue_on_failure` (unless set): the others go on, and what
   * depends on the batch sees which have failed. `fail_fast`: the others are stopped, and the batch has failed. `isolate`: the
   * others go on, and what depends on the batch waits until those that have failed are retried or resolved.
   */
  readonly failureStrategy?: FailureStrategy;
}

/** What a step of type `approval` does when nobody answers. */
export interface ApprovalConfig {
  /** How long it waits; a day unless set. */
  readonly timeout?: Duration;
  /** `fail` unless set. `complete`: the step is done, with `result`. */
  readonly onTimeout?: 'fail' | 'complete';
  readonly result?: Json;
}

/** Something that a step tells the process around it. */
export interface StepEvent {
  readonly name: string;
  /** `success` unless set. */
  readonly condition?: EventCondition;
  /** JSON Schema of what it carries. */
  readonly schema?: JsonObject;
}

/** An event that steps of a task may publish. */
export interface DomainEvent {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of what the step that publishes it comes to, unless the step says another. */
  readonly schema?: JsonObject;
}

/** One step of a template. */
export interface TaskStep {
  readonly name: string;
  readonly description?: string;
  /** `standard` unless set. */
  readonly type?: StepType;
  /** Needed by all but approvals. */
  readonly handler?: StepHandler | string | HandlerUse;
  /** Steps that come before it; `dependsOn` is the same. */
  readonly dependencies?: readonly string[];
  readonly dependsOn?: readonly string[];
  readonly retry?: StepRetry;
  /** Longest time of one attempt, in seconds. */
  readonly timeoutSeconds?: number;
  readonly publishesEvents?: readonly StepEvent[];
  readonly batchConfig?: BatchConfig;
  readonly approval?: ApprovalConfig;
  /** JSON Schema of what the handler returns, or somebody answers. */
  readonly resultSchema?: JsonObject;
}

/** What ends a task, or sets it aside, however its steps go. */
export interface Lifecycle {
  /** A day unless set. */
  readonly maxDuration?: Duration;
  /** The longest that a step may wait for the steps that it depends on, from the start of the task. */
  readonly maxWaitForDependencies?: Duration;
  /** The longest wait before another attempt; a step that would have to wait longer fails. */
  readonly maxWaitForRetry?: Duration;
  /** `fail` unless set. `dead_letter`: the task is put on the list of those that somebody has to look at. */
  readonly onLimit?: 'fail' | 'dead_letter';
  /** `end` unless set. `wait`: a task whose steps have failed stays open for somebody who has them retried or resolves them. */
  readonly onError?: 'end' | 'wait';
}

/** What is different of a step in one environment. Its place among the others is the same everywhere. */
export interface StepOverrides extends Partial<
  Omit<TaskStep, 'name' | 'type' | 'dependencies' | 'dependsOn' | 'handler' | 'batchConfig'>
> {
  readonly name: string;
  /** Another handler, or what is different of the same. */
  readonly handler?: StepHandler | string | Partial<HandlerUse>;
  readonly batchConfig?: Partial<Omit<BatchConfig, 'workerTemplate'>>;
}

/** What is different in one environment. Steps are named; what is not said stays as it is. */
export interface EnvironmentOverrides {
  readonly lifecycle?: Lifecycle;
  readonly steps?: readonly StepOverrides[];
}

/** How two tasks are told apart. */
export const IDENTITY_STRATEGIES = ['always_unique', 'strict', 'caller_provided'] as const;
export type IdentityStrategy = (typeof IDENTITY_STRATEGIES)[number];

/** What {@link defineTask} takes. */
export interface TaskDefinition {
  readonly name: string;
  /** What tasks of one part of a system have in common; `default` unless set. */
  readonly namespaceName?: string;
  /** `1.0.0` unless set. */
  readonly version?: string;
  readonly description?: string;
  /** For whoever reads the template. */
  readonly metadata?: JsonObject;
  /** What a task is started with: a zod object, or JSON Schema. Anything unless set. */
  readonly inputSchema?: z.ZodObject | JsonObject;
  readonly steps: readonly TaskStep[];
  /** By the name of the environment (`MILLRACE_ENV`). */
  readonly environments?: Readonly<Record<string, EnvironmentOverrides>>;
  readonly lifecycle?: Lifecycle;
  /** Events that steps of the task may publish, described in one place. */
  readonly domainEvents?: readonly DomainEvent[];
  /**
   * `always_unique` unless set. `strict`: one task for each input. `caller_provided`: one for each key that the caller gives.
   */
  readonly identityStrategy?: IdentityStrategy;
}

/** A task template. Made by {@link defineTask}, or read from YAML. */
export interface Task extends Branded<'task'> {
  readonly name: string;
  readonly site?: Site;
  /** As it was written: it may be anything in JavaScript. */
  readonly written: Readonly<Record<string, unknown>>;
}

/**
 * Defines a task: steps that depend on each other, each run as soon as those are done that it depends on.
 *
 * @example
 * ```ts
 * export const fulfilOrder = defineTask({
 *   name: 'fulfil-order',
 *   inputSchema: z.object({ order_id: z.string() }),
 *   steps: [
 *     { name: 'reserve_stock', handler: reserveStock },
 *     { name: 'charge_card', handler: chargeCard, retry: { maxAttempts: 5 } },
 *     { name: 'ship', handler: shipOrder, dependencies: ['reserve_stock', 'charge_card'] },
 *   ],
 * });
 * ```
 */
export function defineTask(definition: TaskDefinition): Task {
  const site = callerSite();
  const { name } = definition;
  return {
    [DEFINITION]: 'task',
    name,
    written: { ...definition },
    ...(site !== undefined && { site }),
  };
}
