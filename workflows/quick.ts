import { isCancellation, proxyLocalActivities } from '@temporalio/workflow';
import type * as activities from '../activities/pipeline/activities.js';
import { jsonBytes } from '../src/definition/json.js';
import { timeLimits } from '../src/pipeline/deadline.js';
import type { Failure } from '../src/pipeline/failure.js';
import { pick, type Namespace } from '../src/pipeline/namespace.js';
import {
  QUICK_ACTIVITY,
  type Effect,
  type HandedBack,
  type QuickOutcome,
  type QuickReport,
  type QuickStage,
} from '../src/pipeline/operation-task.js';
import { FUSION_LIMITS, type PipelinePlan, type StagePlan } from '../src/pipeline/plan.js';
import { MAX_SUMMARY_CHARACTERS, type StageRun } from './operation.js';

/** What a fused group has done. */
export interface QuickResult {
  /** By stage and place of the operation in the plan; undefined where one is not done. */
  readonly effect: (stage: number, place: number) => Effect | undefined;
  /** What was used up of an operation's attempts by the time it was handed over. */
  readonly handedBack: (stage: number, place: number) => HandedBack | undefined;
  /** In listed order. */
  readonly failures: readonly { readonly place: number; readonly failure: Failure }[];
}

/** Beyond the group's own limit, so that the activity can still report what was done. */
const GRACE_MS = 1_000;

/** Runs fused operations in one local activity. What it does not finish in time is left to the caller. */
export async function runQuick(
  run: StageRun,
  stages: readonly QuickStage[],
  namespaces: readonly Namespace[],
): Promise<QuickResult> {
  if (stages.every((stage) => stage.operations.length === 0)) return resultOf({ operations: [] });
  const local = proxyLocalActivities<activities.PipelineActivities>({
    summary: stages
      .map((stage) => stage.name)
      .join(', ')
      .slice(0, MAX_SUMMARY_CHARACTERS),
    startToCloseTimeout: FUSION_LIMITS.groupMs + GRACE_MS,
    retry: { maximumAttempts: 1 },
  });
  const outcome = await local[QUICK_ACTIVITY]({
    pipeline: run.plan.name,
    stages,
    namespaces: neededOf(stages, namespaces),
    budgetMs: Math.min(FUSION_LIMITS.groupMs, timeLeftMs(run, stages)),
    ...(run.principal !== undefined && { principal: run.principal }),
  }).catch((error: unknown): QuickOutcome => {
    if (isCancellation(error)) throw error;
    // Blocked for longer than the limit, or the activity itself is broken: all of it goes on as ordinary activities.
    return { operations: [] };
  });
  const room = run.budget.spend(jsonBytes(outcome));
  if (room !== undefined) await room;
  return resultOf(outcome);
}

/** A stage of the plan, all of whose operations are quick, as the local activity gets it. */
export function quickStage(plan: PipelinePlan, index: number): QuickStage | undefined {
  const stage = plan.stages[index];
  return stage === undefined ? undefined : { ...stage, index };
}

/** The smallest limit of any stage in the group, by the pipeline's clock. */
function timeLeftMs(run: StageRun, stages: readonly StagePlan[]): number {
  const times = { ...run, now: Date.now() };
  return Math.min(
    ...stages.flatMap((stage) =>
      stage.operations.map((operation) => timeLimits(run.plan, stage, operation, times).totalMs),
    ),
  );
}

function neededOf(
  stages: readonly StagePlan[],
  namespaces: readonly Namespace[],
): readonly Namespace[] {
  const reads = stages.flatMap((stage) => stage.operations.map((operation) => operation.reads));
  if (reads.includes('*')) return namespaces;
  const names = [...new Set(reads.flat())];
  return namespaces.map((namespace) => pick(namespace, names));
}

function resultOf({ operations }: QuickOutcome): QuickResult {
  const failures = operations.flatMap(({ operation, failure }) =>
    failure === undefined ? [] : [{ place: operation, failure }],
  );
  const reportOf = (stage: number, place: number): QuickReport | undefined =>
    operations.find((report) => report.stage === stage && report.operation === place);
  return {
    effect: (stage, place) => reportOf(stage, place)?.outcome?.effect,
    handedBack: (stage, place) => {
      const attempts = reportOf(stage, place)?.attempts ?? 0;
      return attempts === 0 ? undefined : { attempts };
    },
    failures: failures.sort((a, b) => a.place - b.place),
  };
}
