import { isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import type * as activities from '../activities/pipeline/activities.js';
import { jsonBytes } from '../src/definition/json.js';
import { timeLimits } from '../src/pipeline/deadline.js';
import type { Failure } from '../src/pipeline/failure.js';
import { pick, type Namespace } from '../src/pipeline/namespace.js';
import { QUICK_ACTIVITY, type Effect, type QuickOutcome } from '../src/pipeline/operation-task.js';
import { FUSION_LIMITS, type StagePlan } from '../src/pipeline/plan.js';
import { waitForOperation, type StageRun } from './operation.js';

/** What a fused group has done. */
export interface QuickResult {
  /** For each stage of the group, the effects of its operations in listed order; undefined where one is not done. */
  readonly effects: readonly (readonly (Effect | undefined)[])[];
  /** In listed order; `at` is the place within the stage. */
  readonly failures: readonly { readonly at: number; readonly failure: Failure }[];
  /** An operation that the worker's code lacks. */
  readonly missing?: string;
}

/** Beyond the group's own limit, so that the activity can still report what was done. */
const GRACE_MS = 1_000;

/** Runs fused operations in one local activity. What it does not finish in time is left to the caller. */
export async function runQuick(
  run: StageRun,
  stages: readonly StagePlan[],
  namespaces: readonly Namespace[],
): Promise<QuickResult> {
  const effects = stages.map((stage): (Effect | undefined)[] => stage.operations.map(() => undefined));
  if (stages.every((stage) => stage.operations.length === 0)) return { effects, failures: [] };
  const left = timeLeftMs(run, stages);
  const local = proxyLocalActivities<activities.PipelineActivities>({
    startToCloseTimeout: FUSION_LIMITS.groupMs + GRACE_MS,
    retry: { maximumAttempts: 1 },
  });
  const outcome = await local[QUICK_ACTIVITY]({
    pipeline: run.plan.name,
    stages,
    namespaces: neededOf(stages, namespaces),
    budgetMs: Math.min(FUSION_LIMITS.groupMs, left),
    ...(run.principal !== undefined && { principal: run.principal }),
  }).catch((error: unknown): QuickOutcome => {
    if (isCancellation(error)) throw error;
    // Blocked for longer than the limit, or the activity itself is broken: all of it goes on as ordinary activities.
    return { operations: [] };
  });
  await run.budget.spend(jsonBytes(outcome));
  return resultOf(outcome, effects);
}

/** The smallest limit of any stage in the group, by the pipeline's clock. */
function timeLeftMs(run: StageRun, stages: readonly StagePlan[]): number {
  return Math.min(
    ...stages.flatMap((stage) =>
      stage.operations.map((operation) => timeLimits(run.plan, stage, operation, { ...run, now: Date.now() }).totalMs),
    ),
  );
}

/** Waits for a worker whose code has the operation that this one lacks. */
export async function waitForCode(run: StageRun, missing: string, round: number): Promise<void> {
  const [operation] = run.stage.operations;
  if (operation === undefined) return;
  await waitForOperation(missing, round, timeLimits(run.plan, run.stage, operation, { ...run, now: Date.now() }));
}

function neededOf(stages: readonly StagePlan[], namespaces: readonly Namespace[]): readonly Namespace[] {
  const reads = stages.flatMap((stage) => stage.operations.map((operation) => operation.reads));
  if (reads.includes('*')) return namespaces;
  const names = [...new Set(reads.flat())];
  return namespaces.map((namespace) => pick(namespace, names));
}

function resultOf(outcome: QuickOutcome, effects: (Effect | undefined)[][]): QuickResult {
  const failures: { at: number; failure: Failure }[] = [];
  for (const report of outcome.operations) {
    const stage = effects[report.stage];
    if (report.failure !== undefined) failures.push({ at: report.operation, failure: report.failure });
    else if (stage !== undefined) stage[report.operation] = report.outcome?.effect;
  }
  failures.sort((a, b) => a.at - b.at);
  return { effects, failures, ...(outcome.missing !== undefined && { missing: outcome.missing }) };
}
