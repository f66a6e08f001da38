import { durationMsOrNone } from '../definition/duration.js';
import { isPlainObject, type JsonObject } from '../definition/json.js';
import { branchesOf, type GraphStep } from './graph.js';
import { TASK_DEFAULTS } from './limits.js';
import {
  STEP_TYPES,
  type HandlerPlan,
  type LifecyclePlan,
  type StepEventPlan,
  type StepPlan,
  type StepType,
} from './plan.js';
import { handlerName, isHandlerUse } from './step-check.js';
import type {
  ApprovalConfig,
  BatchConfig,
  DomainEvent,
  Lifecycle,
  StepEvent,
  StepRetry,
  TaskStep,
} from './task.js';
import type { Written } from './value-check.js';

/** What the places of steps in their graph follow from. Names that are no texts are left out: they were told of. */
export function graphSteps(steps: readonly Written[]): readonly GraphStep[] {
  return steps.map((step) => {
    const { name, batchConfig } = step;
    const worker = isPlainObject(batchConfig) ? batchConfig['workerTemplate'] : undefined;
    return {
      name: String(name),
      type: typeOf(step),
      dependencies: [...new Set(dependenciesOf(step))],
      ...(typeof worker === 'string' && { worker }),
    };
  });
}

function typeOf({ type = 'standard' }: Written): StepType {
  return STEP_TYPES.find((known) => known === type) ?? 'standard';
}

function dependenciesOf({ dependencies, dependsOn }: Written): readonly string[] {
  const listed = dependencies ?? dependsOn ?? [];
  return Array.isArray(listed) ? listed.filter((name) => typeof name === 'string') : [];
}

/** What a step's plan takes from the rest of its template. */
interface StepSurroundings {
  readonly graph: readonly GraphStep[];
  /** The template's list of events, which gives schemas to those that steps publish. */
  readonly domainEvents: readonly DomainEvent[];
}

/**
 * The plan of a step that was checked.
 *
 * @param over - what the environment says of it
 */
export function stepPlan(
  step: Written,
  over: Written,
  { graph, domainEvents }: StepSurroundings,
): StepPlan {
  const name = String(step['name']);
  const type = typeOf(step);
  const place = graph.find((other) => other.name === name);
  // It was checked.
  const merged = overridden(step, over) as unknown as TaskStep;
  const { retry = {}, batchConfig = {}, approval = {} } = merged;
  const { timeoutSeconds, resultSchema, publishesEvents } = merged;
  return {
    name,
    type,
    ...(type !== 'approval' && { handler: handlerPlan(step['handler'], over['handler']) }),
    dependencies: place?.dependencies ?? [],
    retry: retryPlan(retry),
    ...(timeoutSeconds !== undefined && { timeoutMs: Math.ceil(timeoutSeconds * 1_000) }),
    ...(resultSchema !== undefined && { resultSchema }),
    ...(type === 'decision' && { branches: branchesOf(name, graph) }),
    ...(type === 'batchable' && { batch: batchPlan(batchConfig) }),
    ...(type === 'approval' && { approval: approvalPlan(approval) }),
    ...(publishesEvents !== undefined &&
      publishesEvents.length > 0 && {
        events: publishesEvents.map((event) => eventPlan(event, domainEvents)),
      }),
  };
}

/** What is said of a step in groups, of which an environment may change some members. */
const GROUPS = ['retry', 'batchConfig', 'approval'] as const;

/** A step as it is in an environment, but for its handler. What is said of it may be anything. */
export function overridden(step: Written, over: Written): Written {
  const groups = GROUPS.flatMap((key) => {
    const [own, other] = [step[key], over[key]];
    return isPlainObject(own) && isPlainObject(other) ? [[key, { ...own, ...other }] as const] : [];
  });
  return { ...step, ...over, ...Object.fromEntries(groups) };
}

/**
 * The limits of a task that were checked.
 *
 * @param approvalsMs - how long its approvals may wait, one after the other
 */
export function lifecyclePlan(lifecycle: Lifecycle, approvalsMs: number): LifecyclePlan {
  const { maxDuration, maxWaitForDependencies, maxWaitForRetry, onLimit, onError } = lifecycle;
  const maxDependencyWaitMs = durationMsOrNone(maxWaitForDependencies);
  const maxRetryWaitMs = durationMsOrNone(maxWaitForRetry);
  return {
    maxDurationMs: durationMsOrNone(maxDuration) ?? TASK_DEFAULTS.maxDurationMs + approvalsMs,
    ...(maxDependencyWaitMs !== undefined && { maxDependencyWaitMs }),
    ...(maxRetryWaitMs !== undefined && { maxRetryWaitMs }),
    onLimit: onLimit ?? 'fail',
    onError: onError ?? 'end',
  };
}

function handlerPlan(written: unknown, over: unknown): HandlerPlan {
  const { callable, method, initialization } = handlerUse(written, over);
  return {
    callable: handlerName(callable) ?? '',
    ...(typeof method === 'string' && method !== 'run' && { method }),
    // It was checked.
    ...(initialization !== undefined && { initialization: initialization as JsonObject }),
  };
}

/** A step's handler, as it is in an environment, which may name another one, or say only something else about the same. */
export function handlerUse(written: unknown, over: unknown): Written {
  const [own, other] = [useOf(written), useOf(over)];
  const [before, after] = [handlerName(own['callable']), handlerName(other['callable'])];
  // What was said of the one says nothing of the other.
  if (after !== undefined && after !== before) return other;
  const initialization =
    isPlainObject(own['initialization']) && isPlainObject(other['initialization'])
      ? { initialization: { ...own['initialization'], ...other['initialization'] } }
      : {};
  return { ...own, ...other, ...initialization };
}

function useOf(written: unknown): Written {
  if (written === undefined) return {};
  return isHandlerUse(written) ? written : { callable: written };
}

export function retryPlan({
  retryable,
  maxAttempts,
  backoff,
  backoffBaseMs,
  maxBackoffMs,
}: StepRetry): StepPlan['retry'] {
  const { retry: defaults } = TASK_DEFAULTS;
  return {
    maximumAttempts: retryable === false ? 1 : (maxAttempts ?? defaults.maximumAttempts),
    backoff: backoff ?? defaults.backoff,
    baseMs: backoffBaseMs ?? defaults.baseMs,
    maximumMs: maxBackoffMs ?? defaults.maximumMs,
  };
}

function batchPlan(batch: Partial<BatchConfig>): NonNullable<StepPlan['batch']> {
  const { batch: defaults } = TASK_DEFAULTS;
  return {
    size: batch.batchSize ?? defaults.size,
    parallelism: batch.parallelism ?? defaults.parallelism,
    ...(batch.cursorField !== undefined && { cursorField: batch.cursorField }),
    worker: batch.workerTemplate ?? '',
    failureStrategy: batch.failureStrategy ?? defaults.failureStrategy,
  };
}

export function approvalPlan({
  timeout,
  onTimeout,
  result,
}: ApprovalConfig): NonNullable<StepPlan['approval']> {
  return {
    timeoutMs: durationMsOrNone(timeout) ?? TASK_DEFAULTS.approvalMs,
    onTimeout: onTimeout ?? 'fail',
    ...(result !== undefined && { result }),
  };
}

function eventPlan(
  { name, condition = 'success', schema: own }: StepEvent,
  listed: readonly DomainEvent[],
): StepEventPlan {
  const schema = own ?? listed.find((event) => event.name === name)?.schema;
  return { name, condition, ...(schema !== undefined && { schema }) };
}
