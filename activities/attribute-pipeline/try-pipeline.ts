import { Context } from '@temporalio/activity';
import type { TryReport, TryTask } from '../../src/attribute-pipeline/asked-pipeline.js';
import { costOf } from '../../src/pipeline/model-price.js';
import type { ActivityDependencies } from '../dependencies.js';
import { startHeartbeat } from '../heartbeat.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure } from './attribute-failure.js';
import { attributeOfPlan, Gathering, processorsOf } from './gathering.js';
import { computeValues, type BatchEntity } from './module-batch.js';
import { planModules } from './plan-modules.js';
import { runSurroundings } from './run-surroundings.js';
import { usageOf } from './used-models.js';

/** Takes an entity through modules, and saves nothing. */
export async function tryPipeline(
  deps: ActivityDependencies,
  { plan, entityId }: TryTask,
): Promise<TryReport> {
  const activity = Context.current();
  const heartbeat = startHeartbeat(activity);
  try {
    const { entities, attributeRuns: runs } = await attributeDependencies(deps).catalog();
    await entities.entity(entityId);
    const attributes = await entities.attributes(plan.entityType);
    const surroundings = {
      ...(await runSurroundings(deps, activity, plan, attributes)),
      attribute: attributeOfPlan(plan, attributes),
      pipelineVersion: plan.version,
    };
    const modules = planModules(plan, deps.code.modules);
    const gathered = await new Gathering({ runs, plan, modules, surroundings }).gather([entityId]);
    const computed = await computeValues(processorsOf(modules), gathered.entities, surroundings);
    return reportOf(
      computed,
      usageOf(computed, (one) => costOf(deps.code.model(one.model)?.price, one)),
    );
  } catch (error) {
    throw attributeFailure(error, activity);
  } finally {
    heartbeat.stop();
  }
}

function reportOf([entity]: readonly BatchEntity[], usage: TryReport['usage']): TryReport {
  if (entity === undefined) throw new Error('an entity goes in, and one comes out');
  const { inputs, value, confidence, justification, meta, warnings, end } = entity;
  const about = { inputs, meta, warnings, usage };
  if (end === undefined)
    return {
      status: 'ok',
      value,
      confidence,
      justification,
      message: null,
      module: null,
      ...about,
    };
  return {
    status: end.kind === 'failed' ? 'error' : 'skipped',
    value: null,
    confidence: null,
    justification: null,
    message: end.kind === 'failed' ? end.message : end.reason,
    module: end.kind === 'failed' ? end.module : null,
    ...about,
  };
}
