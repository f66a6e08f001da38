import { proxyActivities } from '@temporalio/workflow';
import { jsonBytes } from '../src/definition/json.js';
import type { TimeLimits } from '../src/pipeline/deadline.js';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import type { HandedBack } from '../src/pipeline/operation-task.js';
import { payloadFailure } from '../src/pipeline/payload-limit.js';
import { retryIntervals } from '../src/task/backoff.js';
import type { StepPlan, TaskArguments } from '../src/task/plan.js';
import { inputActivityId, stepInput, type StepInput } from '../src/task/step-input.js';
import {
  stepActivityId,
  type ExecutedStep,
  type StepOutcome,
  type StepTask,
} from '../src/task/step-outcome.js';
import type { StepInstance } from '../src/task/task-instances.js';
import type { TaskSteps } from '../src/task/task-steps.js';
import type { CommandBudget } from './command-budget.js';
import { HEARTBEAT_TIMEOUT_MS, type DurableActivity } from './durable-activity.js';
import { applicationFailure } from './failure.js';
import { MAX_SUMMARY_CHARACTERS } from './operation.js';
import { chainStart } from './run-timeout.js';

/** A task that is being run, as one of its steps needs it. */
export interface StepRun {
  readonly args: TaskArguments;
  readonly steps: TaskSteps;
  readonly budget: CommandBudget;
  /** How often the step was begun before. */
  readonly begun: number;
}

/**
 * One step as an activity of its own, with the retries and limits that the plan gives it.
 *
 * @throws ApplicationFailure where its input is larger than a payload may be
 */
export function stepActivity(run: StepRun, instance: StepInstance): DurableActivity<StepOutcome> {
  const task = stepTask(run, instance);
  const input = stepInput(task);
  const bytes = jsonBytes(input);
  const tooLarge = payloadFailure(`The input of step "${instance.name}"`, bytes);
  if (tooLarge !== undefined) throw applicationFailure(tooLarge);
  const probe = (): StepInput => stepInput({ ...task, fields: {}, dependencies: [], probe: true });
  return {
    what: `the step handler "${instance.step.handler?.callable ?? ''}"`,
    missingType: FAILURE_TYPES.handlerNotRegistered,
    bytes,
    budget: run.budget,
    limits: () => limitsOf(run, instance),
    schedule: (round, limits, handedBack) =>
      schedule(run, instance, round, limits, withHandedBack(input, handedBack)),
    probe: {
      bytes: () => jsonBytes(probe()),
      schedule: (round, limits, handedBack) =>
        schedule(run, instance, round, limits, withHandedBack(probe(), handedBack)),
    },
  };
}

function withHandedBack(input: StepInput, handedBack: HandedBack | undefined): StepInput {
  return handedBack === undefined ? input : { ...input, handedBack };
}

function stepTask({ args, steps }: StepRun, { name, step, range }: StepInstance): StepTask {
  const { plan, input, principal } = args;
  const batch = step.batch ?? plan.steps.find((other) => other.batch?.worker === step.name)?.batch;
  return {
    task: plan.name,
    namespace: plan.namespace,
    version: plan.version,
    name,
    step: executed(step),
    fields: input,
    dependencies: steps.dependenciesOf(step),
    ...(range !== undefined && { range }),
    ...(batch?.cursorField !== undefined && { cursorField: batch.cursorField }),
    ...(plan.lifecycle.maxRetryWaitMs !== undefined && {
      maxRetryWaitMs: plan.lifecycle.maxRetryWaitMs,
    }),
    ...(principal !== undefined && { principal }),
  };
}

/** Only what its activity needs. */
function executed({
  name,
  type,
  handler,
  retry,
  resultSchema,
  branches,
  batch,
  events,
}: StepPlan): ExecutedStep {
  return {
    name,
    type,
    ...(handler !== undefined && { handler }),
    retry,
    ...(resultSchema !== undefined && { resultSchema }),
    ...(branches !== undefined && { branches }),
    ...(batch !== undefined && { batchSize: batch.size }),
    ...(events !== undefined && { events }),
  };
}

function limitsOf({ args }: StepRun, { step }: StepInstance): TimeLimits {
  const leftMs = args.plan.lifecycle.maxDurationMs - (Date.now() - chainStart());
  const totalMs = Math.max(1, leftMs);
  return { attemptMs: Math.min(step.timeoutMs ?? Infinity, totalMs), totalMs, totalOwner: 'task' };
}

function schedule(
  { begun }: StepRun,
  { name, step }: StepInstance,
  round: number,
  limits: TimeLimits,
  input: StepInput,
): Promise<StepOutcome> {
  const type = step.handler?.callable ?? '';
  const id = stepActivityId(name, begun, round);
  const scheduled = proxyActivities<Record<string, (input: StepInput) => Promise<StepOutcome>>>({
    activityId: inputActivityId(id, input),
    summary: name.slice(0, MAX_SUMMARY_CHARACTERS),
    startToCloseTimeout: limits.attemptMs,
    scheduleToCloseTimeout: limits.totalMs,
    heartbeatTimeout: Math.min(HEARTBEAT_TIMEOUT_MS, limits.attemptMs),
    cancellationType: 'TRY_CANCEL',
    // Eager tasks go to the worker that has this run: when it lacked the code, or stops, the next one must not.
    allowEagerDispatch: round === 0,
    retry: {
      maximumAttempts: Math.max(1, step.retry.maximumAttempts - (input.handedBack?.attempts ?? 0)),
      // Of attempts whose failure no activity sees: others say how long to wait.
      ...retryIntervals(step.retry),
    },
  });
  const activity = scheduled[type];
  if (activity === undefined) throw new TypeError(`no activity type for step "${name}"`);
  return activity(input);
}
