import { Context } from '@temporalio/activity';
import type { EvalReport, EvalTask } from '../../src/attribute-pipeline/asked-pipeline.js';
import type { EvalOutcome } from '../../src/attribute-pipeline/eval-catalog.js';
import type { Eval } from '../../src/attribute-pipeline/eval.js';
import { attributePlan, type AttributePlan } from '../../src/attribute-pipeline/plan.js';
import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import type { ActivityDependencies } from '../dependencies.js';
import { startHeartbeat } from '../heartbeat.js';
import { affordableEntities } from './affordable.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure } from './attribute-failure.js';
import { LooseBatches } from './loose-batches.js';
import type { BatchEntity } from './module-batch.js';

/** Evals that are run together. */
const BATCH = 50;

/** Runs the evals of a pipeline as it is now: those whose inputs have changed, or all. */
export async function runEvals(deps: ActivityDependencies, task: EvalTask): Promise<EvalReport> {
  const activity = Context.current();
  const heartbeat = startHeartbeat(activity);
  try {
    const catalog = await attributeDependencies(deps).catalog();
    const pipeline = await catalog.attributePipelines.pipeline(task);
    const { attributeEvals: evals } = catalog;
    const plan = attributePlan(pipeline);
    const batches = await LooseBatches.of(deps, activity, catalog, plan);
    const since = new Date(task.since);
    let ran = 0;
    let leftOut = 0;
    for (let after: string | null = null; ;) {
      activity.cancellationSignal.throwIfAborted();
      const limit = Math.min(BATCH, await affordable(catalog, task));
      const selection = { since, after, limit: Math.max(1, limit) };
      const batch: readonly Eval[] = await evals.evalsToRun(pipeline.id, selection);
      const last = batch.at(-1);
      if (last === undefined) break;
      if (limit < 1) {
        leftOut = await evals.countEvals(pipeline.id, { since, after });
        break;
      }
      ran += await runBatch(catalog, plan, batches, batch, task.all);
      after = last.id;
      heartbeat.beat({ completed: ran });
    }
    const rate = await evals.recordRate(pipeline.id, pipeline.version, new Date());
    return { evals: rate.evals, passed: rate.passed, ran, leftOut };
  } catch (error) {
    throw attributeFailure(error, activity);
  } finally {
    heartbeat.stop();
  }
}

/** Evals cost what runs do: those that the day's budget does not allow are left out. */
async function affordable({ attributeRuns }: AttributeCatalogs, task: EvalTask): Promise<number> {
  return affordableEntities(await attributeRuns.daySpending(task, new Date()), 0);
}

/** Runs evals together. @returns how many had to be run */
async function runBatch(
  { attributeEvals }: AttributeCatalogs,
  { pipelineId }: AttributePlan,
  batches: LooseBatches,
  evals: readonly Eval[],
  all: boolean,
): Promise<number> {
  const gathered = await batches.gather(evals.map(({ entityId }) => entityId));
  const due = evals.filter(
    ({ entityId, inputHash }) => all || inputHash !== gathered.hashOf(entityId),
  );
  const wanted = new Set(due.map(({ entityId }) => entityId));
  const { computed, usage } = await batches.compute(
    gathered.entities.filter(({ entityId }) => wanted.has(entityId)),
  );
  const found = new Map(computed.map((entity) => [entity.entityId, entity]));
  const outcomes = due.flatMap(({ id, entityId }) => {
    const entity = found.get(entityId);
    return entity === undefined ? [] : [outcomeOf(id, gathered.hashOf(entityId), entity)];
  });
  await attributeEvals.recordEvals(pipelineId, outcomes, usage, new Date());
  return outcomes.length;
}

function outcomeOf(id: string, inputHash: string, entity: BatchEntity): EvalOutcome {
  const { end, value, confidence, justification } = entity;
  if (end === undefined) return { id, inputHash, actualOutput: value, justification, confidence };
  const why = end.kind === 'failed' ? `${end.module}: ${end.message}` : end.reason;
  return { id, inputHash, actualOutput: undefined, justification: why, confidence: null };
}
