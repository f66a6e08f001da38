import { setCurrentDetails } from '@temporalio/workflow';
import { jsonBytes, type JsonObject } from '../src/definition/json.js';
import { FAILURE_TYPES, type Failure } from '../src/pipeline/failure.js';
import type { Namespace } from '../src/pipeline/namespace.js';
import type { Effect } from '../src/pipeline/operation-task.js';
import type { PipelinePlan, StagePlan } from '../src/pipeline/plan.js';
import { completeStage, pipelineResult } from '../src/pipeline/stage-result.js';
import { CommandBudget, payloadFailure } from './command-budget.js';
import { applicationFailure } from './failure.js';
import { runOperation, type StageRun } from './operation.js';
import { settleAll } from './pool.js';
import { runQuick, waitForCode, type QuickResult } from './quick.js';

/** The one argument of a pipeline's workflow. */
export interface PipelineArguments {
  readonly plan: PipelinePlan;
  readonly input: JsonObject;
  /** Who started the run, where the server authenticates. */
  readonly principal?: string;
}

/** What one run of a pipeline holds while it is interpreted. */
interface Interpretation extends Omit<StageRun, 'stage' | 'stageIndex' | 'stageStart'> {
  namespaces: readonly Namespace[];
}

/** Version 1 of the interpreter: executes a pipeline's plan and returns its result. */
export async function interpretPipeline(args: PipelineArguments): Promise<JsonObject | readonly JsonObject[]> {
  const { plan, input, principal } = args;
  const run: Interpretation = {
    plan,
    runStart: Date.now(),
    budget: new CommandBudget(),
    namespaces: [input],
    ...(principal !== undefined && { principal }),
  };
  for (const unit of plan.units) {
    if (unit.kind === 'fused') await interpretFused(run, unit.first, unit.last);
    else await interpretStage(run, unit.stage);
  }
  return finish(run);
}

async function finish(run: Interpretation): Promise<JsonObject | readonly JsonObject[]> {
  const ended = pipelineResult(run.plan, run.namespaces);
  if ('failure' in ended) throw applicationFailure(ended.failure);
  const bytes = jsonBytes(ended.result);
  const tooLarge = payloadFailure(`The result of pipeline "${run.plan.name}"`, bytes);
  if (tooLarge !== undefined) throw applicationFailure(tooLarge);
  await run.budget.spend(bytes);
  return ended.result;
}

/** Stages of quick operations: one local activity, unless something is handed over or missing. */
async function interpretFused(run: Interpretation, first: number, last: number): Promise<void> {
  let next = first;
  for (let round = 0; next <= last; round += 1) {
    const stages = run.plan.stages.slice(next, last + 1);
    const stageRun = enterStage(run, next);
    const quick = await runQuick(stageRun, stages, run.namespaces);
    let done = 0;
    while (done < stages.length && completeIfDone(run, next + done, quick.effects[done] ?? [])) done += 1;
    next += done;
    if (next > last) return;
    throwFirst(quick.failures);
    if (quick.missing !== undefined) await waitForCode(stageRun, quick.missing, round);
    else await interpretStage(run, next++, quick.effects[done]);
  }
}

/** Merges a stage whose effects are all there. False when some operation has none. */
function completeIfDone(run: Interpretation, index: number, effects: readonly (Effect | undefined)[]): boolean {
  const stage = stageAt(run.plan, index);
  const known = effects.filter((effect) => effect !== undefined);
  if (known.length < stage.operations.length) return false;
  run.namespaces = completeStage(stage, run.namespaces, known);
  return true;
}

/**
 * One stage: its operations in parallel, each as an activity of its own; its quick ones share a local activity.
 *
 * @param known - effects that a fused group has left behind
 */
async function interpretStage(
  run: Interpretation,
  index: number,
  known: readonly (Effect | undefined)[] = [],
): Promise<void> {
  const stageRun = enterStage(run, index);
  const { stage } = stageRun;
  const quickAt = stage.operations.flatMap((operation, at) =>
    operation.quick === true && known.length === 0 ? [at] : [],
  );
  // Started before the others, finished whenever it is: the others do not wait for it.
  const quick = quickAt.length === 0 ? undefined : runQuickOf(stageRun, quickAt, run.namespaces);
  const settled = await settleAll(stage.operations, stage.parallel, async (_operation, at) => {
    const effect = known[at] ?? (quickAt.includes(at) ? await quick?.then((result) => effectOf(result, at)) : undefined);
    return effect ?? (await runOperation(stageRun, at, run.namespaces));
  });
  const failed = settled.find((result) => result.status === 'rejected');
  // All have ended by now; the first in listed order speaks for the stage.
  if (failed !== undefined) throw failed.reason;
  const effects = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  run.namespaces = completeStage(stage, run.namespaces, effects);
}

async function runQuickOf(stageRun: StageRun, at: readonly number[], namespaces: readonly Namespace[]): Promise<QuickResult> {
  const { stage } = stageRun;
  const operations = stage.operations.filter((_operation, index) => at.includes(index));
  const result = await runQuick(stageRun, [{ ...stage, operations }], namespaces);
  // Back from places among the quick ones to places in the stage.
  const effects: (Effect | undefined)[] = [];
  at.forEach((place, index) => (effects[place] = result.effects[0]?.[index]));
  const failures = result.failures.map((failure) => ({ ...failure, at: at[failure.at] ?? failure.at }));
  return { ...result, effects: [effects], failures };
}

function effectOf(result: QuickResult, at: number): Effect | undefined {
  const failure = result.failures.find((candidate) => candidate.at === at);
  if (failure !== undefined) throw applicationFailure(failure.failure);
  return result.effects[0]?.[at];
}

function throwFirst(failures: readonly { readonly failure: Failure }[]): void {
  const [first] = failures;
  if (first !== undefined) throw applicationFailure(first.failure);
}

function enterStage(run: Interpretation, index: number): StageRun {
  const stage = stageAt(run.plan, index);
  // Shown by the Temporal UI when the run's page is opened; costs no history.
  setCurrentDetails(`Stage **${stage.name}** (${String(index + 1)} of ${String(run.plan.stages.length)})`);
  return { ...run, stage, stageIndex: index, stageStart: Date.now() };
}

function stageAt(plan: PipelinePlan, index: number): StagePlan {
  const stage = plan.stages[index];
  if (stage !== undefined) return stage;
  const message = `The plan's units name stage ${String(index)}, which it does not have.`;
  throw applicationFailure({ type: FAILURE_TYPES.planRefused, message, retryable: false });
}
