import { proxyLocalActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type * as activities from '../activities/pipeline/activities.js';
import { jsonBytes, type JsonObject } from '../src/definition/json.js';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import type { Namespace } from '../src/pipeline/namespace.js';
import { RESULT_ACTIVITY, type Effect, type QuickStage } from '../src/pipeline/operation-task.js';
import { payloadFailure } from '../src/pipeline/payload-limit.js';
import type { PipelinePlan, StagePlan } from '../src/pipeline/plan.js';
import type { PipelineArguments } from '../src/pipeline/start.js';
import { completeStage, pipelineResult } from '../src/pipeline/stage-result.js';
import { CommandBudget } from './command-budget.js';
import { applicationFailure } from './failure.js';
import { runOperation, type StageRun } from './operation.js';
import { settleAll } from './pool.js';
import { quickStage, runQuick, type QuickResult } from './quick.js';

/** What one run of a pipeline holds while it is interpreted. */
interface Interpretation extends Omit<StageRun, 'stage' | 'stageIndex' | 'stageStart'> {
  namespaces: readonly Namespace[];
}

/** Version 1 of the interpreter: executes a pipeline's plan and returns its result. */
export async function interpretPipeline(
  args: PipelineArguments,
): Promise<JsonObject | readonly JsonObject[]> {
  const { plan, input, principal } = args;
  const run: Interpretation = {
    plan,
    // The server's clock, from when the run was started: time in the queue counts.
    runStart: workflowInfo().startTime.getTime(),
    budget: new CommandBudget(),
    namespaces: [input],
    ...(principal !== undefined && { principal }),
  };
  for (const unit of plan.units) {
    if (unit.kind === 'fused') await interpretFused(run, unit.first, unit.last);
    else await interpretStage(run, unit.stage);
  }
  const { result, bytes } = resultOf(run);
  if (plan.resultSchema !== undefined) await checkResult(plan.resultSchema, result);
  const room = run.budget.spend(bytes);
  if (room !== undefined) await room;
  return result;
}

function resultOf(run: Interpretation): {
  readonly result: JsonObject | readonly JsonObject[];
  readonly bytes: number;
} {
  const ended = pipelineResult(run.plan, run.namespaces);
  if ('failure' in ended) throw applicationFailure(ended.failure);
  const bytes = jsonBytes(ended.result);
  const tooLarge = payloadFailure(`The result of pipeline "${run.plan.name}"`, bytes);
  if (tooLarge !== undefined) throw applicationFailure(tooLarge);
  return { result: ended.result, bytes };
}

/** Looks at a result where the contracts of the operations leave it open whether it is as declared. */
async function checkResult(
  schema: JsonObject,
  result: JsonObject | readonly JsonObject[],
): Promise<void> {
  const local = proxyLocalActivities<activities.PipelineActivities>({
    startToCloseTimeout: '10s',
    retry: { maximumAttempts: 3 },
  });
  const { failure } = await local[RESULT_ACTIVITY]({ schema, result });
  if (failure !== undefined) throw applicationFailure(failure);
}

/** Stages of quick operations: one local activity, unless something is handed over. */
async function interpretFused(run: Interpretation, first: number, last: number): Promise<void> {
  let next = first;
  while (next <= last) {
    const group = enterStage(run, next);
    const quick = await runQuick(group, quickStages(run.plan, next, last), run.namespaces);
    while (next <= last && completeIfDone(run, next, quick)) next += 1;
    if (next > last) return;
    // A failure is raised there, too, when the stage's other operations have finished.
    await interpretStage(
      run,
      next,
      quick,
      next === group.stageIndex ? group.stageStart : undefined,
    );
    next += 1;
  }
}

function quickStages(plan: PipelinePlan, first: number, last: number): readonly QuickStage[] {
  return Array.from({ length: last - first + 1 }, (_, offset) =>
    quickStage(plan, first + offset),
  ).filter((stage) => stage !== undefined);
}

/** Merges a stage whose effects are all there. False when some operation has none. */
function completeIfDone(run: Interpretation, index: number, quick: QuickResult): boolean {
  const stage = stageAt(run.plan, index);
  const effects = stage.operations.map((_operation, place) => quick.effect(index, place));
  const known = effects.filter((effect) => effect !== undefined);
  if (known.length < effects.length) return false;
  run.namespaces = completeStage(stage, run.namespaces, known);
  return true;
}

/**
 * One stage: its operations in parallel, each as an activity of its own.
 *
 * @param handedOver - what a fused group has left behind: its effects and failures are kept, the rest is run
 * @param stageStart - when the stage began, where that was before now
 */
async function interpretStage(
  run: Interpretation,
  index: number,
  handedOver?: QuickResult,
  stageStart?: number,
): Promise<void> {
  const entered = enterStage(run, index);
  const stageRun = stageStart === undefined ? entered : { ...entered, stageStart };
  const { stage } = stageRun;
  const { namespaces } = run;
  const settled = await settleAll(stage.operations, stage.parallel, (_operation, place) =>
    handedOver === undefined
      ? runOperation(stageRun, place, namespaces)
      : finishQuick(stageRun, place, namespaces, handedOver),
  );
  const failed = settled.find((result) => result.status === 'rejected');
  // All have ended by now; the first in listed order speaks for the stage.
  if (failed !== undefined) throw failed.reason;
  const effects = settled.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  run.namespaces = completeStage(stage, namespaces, effects);
}

/** What the local activity has made of an operation; what it has not finished runs as an ordinary activity. */
async function finishQuick(
  run: StageRun,
  place: number,
  namespaces: readonly Namespace[],
  quick: QuickResult,
): Promise<Effect> {
  const failed = quick.failures.find((failure) => failure.place === place);
  if (failed !== undefined) throw applicationFailure(failed.failure);
  const { stageIndex } = run;
  return (
    quick.effect(stageIndex, place) ??
    (await runOperation(run, place, namespaces, quick.handedBack(stageIndex, place)))
  );
}

function enterStage(run: Interpretation, index: number): StageRun {
  const stage = stageAt(run.plan, index);
  // Shown by the Temporal UI when the run's page is opened; costs no history.
  setCurrentDetails(
    `Stage **${stage.name}** (${String(index + 1)} of ${String(run.plan.stages.length)})`,
  );
  return { ...run, stage, stageIndex: index, stageStart: Date.now() };
}

function stageAt(plan: PipelinePlan, index: number): StagePlan {
  const stage = plan.stages[index];
  if (stage !== undefined) return stage;
  const message = `The plan's units name stage ${String(index)}, which it does not have.`;
  throw applicationFailure({ type: FAILURE_TYPES.planRefused, message, retryable: false });
}
