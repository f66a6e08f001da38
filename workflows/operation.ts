import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type * as activities from '../activities/pipeline/activities.js';
import { jsonBytes } from '../src/definition/json.js';
import { timeLimits, type TimeLimits } from '../src/pipeline/deadline.js';
import {
  FAILURE_TYPES,
  ignoresFailure,
  isOutOfTime,
  type Failure,
} from '../src/pipeline/failure.js';
import type { Namespace } from '../src/pipeline/namespace.js';
import {
  IGNORES_ACTIVITY,
  type Effect,
  type HandedBack,
  type OperationOutcome,
  type OperationTask,
} from '../src/pipeline/operation-task.js';
import { payloadFailure } from '../src/pipeline/payload-limit.js';
import type { OperationPlan, PipelinePlan, StagePlan } from '../src/pipeline/plan.js';
import { operationInputs } from '../src/pipeline/stage-result.js';
import type { CommandBudget } from './command-budget.js';
import { HEARTBEAT_TIMEOUT_MS, runDurably } from './durable-activity.js';
import { applicationFailure } from './failure.js';

/** A stage that is being run, with what its operations share. */
export interface StageRun {
  readonly plan: PipelinePlan;
  readonly principal?: string;
  readonly runStart: number;
  readonly budget: CommandBudget;
  readonly stage: StagePlan;
  readonly stageIndex: number;
  readonly stageStart: number;
}

/** Temporal's limit is 200 bytes, and a character has up to three. */
export const MAX_SUMMARY_CHARACTERS = 66;

/**
 * Runs one operation as an activity of its own, with the retries and limits that the plan gives it.
 *
 * @param handedBack - what it has used of its attempts before
 * @throws ApplicationFailure with the failure as details, unless `ignoreErrors` covers it
 */
export async function runOperation(
  run: StageRun,
  at: number,
  namespaces: readonly Namespace[],
  handedBack?: HandedBack,
): Promise<Effect> {
  const operation = run.stage.operations[at];
  if (operation === undefined)
    throw new RangeError(`stage "${run.stage.name}" has no operation ${String(at)}`);
  const task: OperationTask = {
    pipeline: run.plan.name,
    stage: run.stage.name,
    operation,
    inputs: operationInputs(operation, namespaces),
    ...(run.principal !== undefined && { principal: run.principal }),
  };
  const bytes = jsonBytes(withHandedBack(task, handedBack));
  const tooLarge = payloadFailure(`The input of operation "${operation.name}"`, bytes);
  if (tooLarge !== undefined) throw applicationFailure(inPlace(run, operation, tooLarge));
  const ended = await runDurably<OperationOutcome>(
    {
      what: `the operation "${operation.type}"`,
      missingType: FAILURE_TYPES.operationNotRegistered,
      bytes,
      budget: run.budget,
      limits: () => timeLimits(run.plan, run.stage, operation, { ...run, now: Date.now() }),
      schedule: (round, limits, again) =>
        schedule(run, operation, at, round, limits, withHandedBack(task, again)),
      probe: {
        bytes: () => jsonBytes(probeOf(task)),
        schedule: (round, limits, again) =>
          schedule(run, operation, at, round, limits, probeOf(withHandedBack(task, again))),
      },
    },
    handedBack,
  );
  if (!('failure' in ended)) return ended.outcome.effect;
  return ignoreOrThrow(run, at, operation, inPlace(run, operation, ended.failure));
}

function withHandedBack(task: OperationTask, handedBack: HandedBack | undefined): OperationTask {
  return handedBack === undefined ? task : { ...task, handedBack };
}

/** Asks whether a worker has the operation, without its inputs. */
function probeOf(task: OperationTask): OperationTask {
  return { ...task, inputs: [], probe: true };
}

function schedule(
  run: StageRun,
  operation: OperationPlan,
  at: number,
  round: number,
  limits: TimeLimits,
  task: OperationTask,
): Promise<OperationOutcome> {
  const place = activityId(run.stageIndex, at, round);
  const { maximumAttempts, initialIntervalMs, backoffCoefficient, maximumIntervalMs } =
    operation.retry;
  const scheduled = proxyActivities<
    Record<string, (task: OperationTask) => Promise<OperationOutcome>>
  >({
    // The fold finds an operation's place in the plan by this; a probe is none of the run's operations.
    activityId: task.probe === true ? `probe.${place}` : place,
    summary: summaryOf(run.stage.name, operation),
    startToCloseTimeout: limits.attemptMs,
    scheduleToCloseTimeout: limits.totalMs,
    heartbeatTimeout: Math.min(HEARTBEAT_TIMEOUT_MS, limits.attemptMs),
    cancellationType: 'TRY_CANCEL',
    // Eager tasks go to the worker that has this run: when it lacked the code, or stops, the next one must not.
    allowEagerDispatch: round === 0,
    retry: {
      maximumAttempts: Math.max(1, maximumAttempts - (task.handedBack?.attempts ?? 0)),
      initialInterval: initialIntervalMs,
      backoffCoefficient,
      ...(maximumIntervalMs !== undefined && { maximumInterval: maximumIntervalMs }),
    },
  });
  const activity = scheduled[operation.type];
  if (activity === undefined)
    throw new TypeError(`no activity type for operation "${operation.type}"`);
  return activity(task);
}

/** What the Temporal UI shows behind the activity's type, which is the operation's. */
function summaryOf(stage: string, { name, type }: OperationPlan): string {
  return (name === type ? stage : `${stage} › ${name}`).slice(0, MAX_SUMMARY_CHARACTERS);
}

/** The id of an operation's activity: its place in the plan, and how often it has been scheduled before. */
function activityId(stage: number, operation: number, round: number): string {
  return `${String(stage)}.${String(operation)}.${String(round)}`;
}

/** A failure with the place where it happened. */
export function inPlace(run: StageRun, operation: OperationPlan, failure: Failure): Failure {
  return { stage: run.stage.name, operation: operation.name, ...failure };
}

async function ignoreOrThrow(
  run: StageRun,
  at: number,
  operation: OperationPlan,
  failure: Failure,
): Promise<Effect> {
  if (await isIgnored(run, at, operation, failure)) return { kind: 'ignored', failure };
  throw applicationFailure(failure);
}

/**
 * Activities apply `ignoreErrors` themselves. What reaches the workflow are failures that no activity saw: a timeout,
 * a lost worker, a retry that would come too late.
 */
async function isIgnored(
  run: StageRun,
  at: number,
  operation: OperationPlan,
  failure: Failure,
): Promise<boolean> {
  if (operation.ignoreErrors !== 'predicate' || isOutOfTime(failure))
    return ignoresFailure(operation.ignoreErrors, failure);
  const local = proxyLocalActivities<activities.PipelineActivities>({
    startToCloseTimeout: '10s',
    retry: { maximumAttempts: 3 },
  });
  const { ignored } = await local[IGNORES_ACTIVITY]({
    pipeline: run.plan.name,
    stage: run.stage.name,
    operation,
    failure,
    place: { stage: run.stageIndex, operation: at },
  });
  return ignored;
}
