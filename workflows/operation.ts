import {
  ApplicationFailure,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow';
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
import { applicationFailure, failureOf } from './failure.js';

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

/** A worker that is silent for so long is taken for lost, and the operation is tried elsewhere. */
const HEARTBEAT_TIMEOUT_MS = 10_000;

/**
 * Waits between two looks for a worker that has a missing operation. Temporal gives each look to any worker of the queue, so that
 * the first ones follow each other quickly: half of the workers may have the code already.
 */
const CODE_WAIT = { firstMs: 500, factor: 1.3, maximumMs: 30_000 } as const;

/** With larger inputs, a worker is first asked whether it has the operation: each look would put them into history again. */
const MAX_LOOK_BYTES = 16 * 1024;

/** Failures by which an activity gives an attempt back. */
const HANDING_BACK: readonly string[] = [
  FAILURE_TYPES.workerShutdown,
  FAILURE_TYPES.operationNotRegistered,
];

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
  let task: OperationTask = {
    pipeline: run.plan.name,
    stage: run.stage.name,
    operation,
    inputs: operationInputs(operation, namespaces),
    ...(run.principal !== undefined && { principal: run.principal }),
    ...(handedBack !== undefined && { handedBack }),
  };
  const bytes = jsonBytes(task);
  const tooLarge = payloadFailure(`The input of operation "${operation.name}"`, bytes);
  if (tooLarge !== undefined) throw applicationFailure(inPlace(run, operation, tooLarge));
  for (let round = 0; ; round += 1) {
    const room = run.budget.spend(bytes);
    if (room !== undefined) await room;
    const limits = timeLimits(run.plan, run.stage, operation, { ...run, now: Date.now() });
    try {
      return (await schedule(run, operation, at, round, limits, task)).effect;
    } catch (error) {
      if (isCancellation(error)) throw error;
      const again = handedBackBy(error);
      if (again === undefined)
        return await ignoreOrThrow(
          run,
          at,
          operation,
          inPlace(run, operation, failureOf(error, limits)),
        );
      task = { ...task, handedBack: again };
      if (!isMissingCode(error)) continue;
      await waitForOperation(operation.type, round, limits);
      if (bytes > MAX_LOOK_BYTES) round = await untilFound(run, at, round + 1, task);
    } finally {
      run.budget.returned();
    }
  }
}

/**
 * Asks workers whether they have the operation, without its inputs, until one does. What goes wrong otherwise is left to
 * the operation itself.
 *
 * @returns the last round
 */
async function untilFound(
  run: StageRun,
  at: number,
  firstRound: number,
  task: OperationTask,
): Promise<number> {
  const { operation } = task;
  const probe: OperationTask = { ...task, inputs: [], probe: true };
  const bytes = jsonBytes(probe);
  for (let round = firstRound; ; round += 1) {
    const room = run.budget.spend(bytes);
    if (room !== undefined) await room;
    const limits = timeLimits(run.plan, run.stage, operation, { ...run, now: Date.now() });
    try {
      await schedule(run, operation, at, round, limits, probe);
      return round;
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (!isMissingCode(error)) return round;
      await waitForOperation(operation.type, round, limits);
    } finally {
      run.budget.returned();
    }
  }
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

/** Waits a while for a worker whose code has an operation; fails when the pipeline's time would be over. */
async function waitForOperation(type: string, round: number, limits: TimeLimits): Promise<void> {
  const { firstMs, factor, maximumMs } = CODE_WAIT;
  const waitMs = Math.round(Math.min(maximumMs, firstMs * factor ** round));
  if (waitMs < limits.totalMs) {
    await sleep(waitMs);
    return;
  }
  throw applicationFailure({
    type: FAILURE_TYPES.operationNotRegistered,
    message: `None of the ${String(round + 1)} times that a worker was asked for the operation "${type}" did its code have it, until the ${limits.totalOwner} ran out of time. Deploy workers with it, and let no other project's workers poll this task queue.`,
    retryable: false,
  });
}

/** What a worker that stopped, or lacks the code, has handed back, where that is what an error says. */
function handedBackBy(error: unknown): HandedBack | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || !HANDING_BACK.includes(cause.type ?? ''))
    return undefined;
  const [details] = cause.details ?? [];
  // Only our own activity fails with these types and details; Temporal's SDK has the type, without them.
  return typeof details === 'object' && details !== null && 'attempts' in details
    ? (details as HandedBack)
    : undefined;
}

function isMissingCode(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.type === FAILURE_TYPES.operationNotRegistered;
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
