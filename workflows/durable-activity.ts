import { ApplicationFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { TimeLimits } from '../src/pipeline/deadline.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import type { HandedBack } from '../src/pipeline/operation-task.js';
import type { CommandBudget } from './command-budget.js';
import { applicationFailure, failureOf } from './failure.js';

/** A worker that is silent for so long is taken for lost, and what it did is tried elsewhere. */
export const HEARTBEAT_TIMEOUT_MS = 10_000;

/** An activity of somebody's code, which a worker may give back: it stops, or lacks the code. */
export interface DurableActivity<T> {
  /** What is looked for in the workers' code: `the operation "score"`. */
  readonly what: string;
  /** What the run fails of where it is never found. */
  readonly missingType: string;
  /** Of its input. */
  readonly bytes: number;
  readonly budget: CommandBudget;
  /** What it has of time, as of now. */
  readonly limits: () => TimeLimits;
  readonly schedule: Scheduled<T>;
  /** Asks whether a worker has the code, without the input. */
  readonly probe: { readonly bytes: () => number; readonly schedule: Scheduled<unknown> };
}

/** @param round - how often it, or its probe, was scheduled before */
type Scheduled<T> = (
  round: number,
  limits: TimeLimits,
  handedBack: HandedBack | undefined,
) => Promise<T>;

/**
 * Waits between two looks for a worker that has missing code. Temporal gives each look to any worker of the queue, so that
 * the first ones follow each other quickly: half of the workers may have the code already.
 */
const CODE_WAIT = { firstMs: 500, factor: 1.3, maximumMs: 30_000 } as const;

/** With larger inputs, a worker is first asked whether it has the code: each look would put them into history again. */
const MAX_LOOK_BYTES = 16 * 1024;

/** Failures that say that a worker lacks the code. */
const MISSING_CODE: readonly string[] = [
  FAILURE_TYPES.operationNotRegistered,
  FAILURE_TYPES.handlerNotRegistered,
];

/** Failures by which an activity gives an attempt back. */
const HANDING_BACK: readonly string[] = [FAILURE_TYPES.workerShutdown, ...MISSING_CODE];

/** How an activity has ended. */
export type Ended<T> = { readonly outcome: T } | { readonly failure: Failure };

/**
 * Runs an activity until it has ended, on whichever worker. Attempts that were given back do not count, and keep their checkpoints.
 *
 * @param given - what it has used of its attempts before
 * @throws a cancellation, and `missingType` where its time is over before a worker has its code
 */
export async function runDurably<T>(
  activity: DurableActivity<T>,
  given?: HandedBack,
  firstRound = 0,
): Promise<Ended<T>> {
  const { bytes, budget } = activity;
  let handedBack = given;
  for (let round = firstRound; ; round += 1) {
    const room = budget.spend(bytes);
    if (room !== undefined) await room;
    const limits = activity.limits();
    try {
      return { outcome: await activity.schedule(round, limits, handedBack) };
    } catch (error) {
      const ended = await endedBy(activity, round, limits, error);
      if ('failure' in ended) return ended;
      ({ round, handedBack } = ended);
    } finally {
      budget.returned();
    }
  }
}

/**
 * The same with less on the way: Temporal's SDK records a stack trace for each promise that workflow code makes, and an activity that
 * ends well needs none of those above. What happens is told, also what {@link runDurably} throws.
 */
export function startDurably<T>(
  activity: DurableActivity<T>,
  tell: (ended: Ended<T>) => void,
  broke: (error: unknown) => void,
): void {
  const { bytes, budget } = activity;
  if (budget.spend(bytes) !== undefined) {
    runDurably(activity).then(tell, broke);
    return;
  }
  const limits = activity.limits();
  activity.schedule(0, limits, undefined).then(
    (outcome) => {
      budget.returned();
      tell({ outcome });
    },
    (error: unknown) => {
      budget.returned();
      goOn(activity, limits, error).then(tell, broke);
    },
  );
}

/** What comes of an activity whose first round has ended with an error. */
async function goOn<T>(
  activity: DurableActivity<T>,
  limits: TimeLimits,
  error: unknown,
): Promise<Ended<T>> {
  const ended = await endedBy(activity, 0, limits, error);
  return 'failure' in ended ? ended : runDurably(activity, ended.handedBack, ended.round + 1);
}

/** What an error says: the activity has failed, or is to be scheduled again. */
async function endedBy<T>(
  activity: DurableActivity<T>,
  round: number,
  limits: TimeLimits,
  error: unknown,
): Promise<
  | { readonly failure: Failure }
  | { readonly round: number; readonly handedBack: HandedBack | undefined }
> {
  if (isCancellation(error)) throw error;
  const handedBack = handedBackBy(error);
  if (handedBack === undefined) return { failure: failureOf(error, limits) };
  if (!isMissingCode(error)) return { round, handedBack };
  await waitForCode(activity, round, limits);
  if (activity.bytes <= MAX_LOOK_BYTES) return { round, handedBack };
  return { round: await untilFound(activity, round + 1, handedBack), handedBack };
}

/**
 * Asks workers whether they have the code, until one does. What goes wrong otherwise is left to the activity itself.
 *
 * @returns the last round
 */
async function untilFound<T>(
  activity: DurableActivity<T>,
  firstRound: number,
  handedBack: HandedBack,
): Promise<number> {
  const { probe, budget } = activity;
  const bytes = probe.bytes();
  for (let round = firstRound; ; round += 1) {
    const room = budget.spend(bytes);
    if (room !== undefined) await room;
    const limits = activity.limits();
    try {
      await probe.schedule(round, limits, handedBack);
      return round;
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (!isMissingCode(error)) return round;
      await waitForCode(activity, round, limits);
    } finally {
      budget.returned();
    }
  }
}

/** Waits a while for a worker whose code has something; fails when the time of the run would be over. */
async function waitForCode(
  { what, missingType }: Pick<DurableActivity<unknown>, 'what' | 'missingType'>,
  round: number,
  limits: TimeLimits,
): Promise<void> {
  const { firstMs, factor, maximumMs } = CODE_WAIT;
  const waitMs = Math.round(Math.min(maximumMs, firstMs * factor ** round));
  if (waitMs < limits.totalMs) {
    await sleep(waitMs);
    return;
  }
  throw applicationFailure({
    type: missingType,
    message: `None of the ${String(round + 1)} times that a worker was asked for ${what} did its code have it, until the ${limits.totalOwner} ran out of time. Deploy workers with it, and let no other project's workers poll this task queue.`,
    retryable: false,
  });
}

/** What a worker that stopped, or lacks the code, has handed back, where that is what an error says. */
function handedBackBy(error: unknown): HandedBack | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || !HANDING_BACK.includes(cause.type ?? ''))
    return undefined;
  const [details] = cause.details ?? [];
  // Only our own activities fail with these types and details; Temporal's SDK has the type, without them.
  return typeof details === 'object' && details !== null && 'attempts' in details
    ? (details as HandedBack)
    : undefined;
}

function isMissingCode(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof ApplicationFailure && MISSING_CODE.includes(cause.type ?? '');
}
