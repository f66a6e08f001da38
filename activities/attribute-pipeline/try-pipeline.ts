import { Context } from '@temporalio/activity';
import type { TryReport, TryTask } from '../../src/attribute-pipeline/asked-pipeline.js';
import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { AttributePipeline } from '../../src/attribute-pipeline/pipeline.js';
import type { AttributePlan } from '../../src/attribute-pipeline/plan.js';
import type { ActivityDependencies } from '../dependencies.js';
import { startHeartbeat } from '../heartbeat.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure } from './attribute-failure.js';
import { LooseBatches } from './loose-batches.js';
import type { BatchEntity } from './module-batch.js';

/** Takes an entity through modules, and saves nothing. */
export async function tryPipeline(
  deps: ActivityDependencies,
  { plan, entityId }: TryTask,
): Promise<TryReport> {
  const activity = Context.current();
  const heartbeat = startHeartbeat(activity);
  try {
    const catalog = await attributeDependencies(deps).catalog();
    await catalog.entities.entity(entityId);
    const batches = await LooseBatches.of(deps, activity, catalog, plan);
    const { entities } = await batches.gather([entityId]);
    const saved = await savedPipeline(catalog, plan);
    const spending = saved && (await catalog.attributeRuns.daySpending(plan, new Date()));
    const { computed, usage } = await batches.compute(entities, spending);
    // What has cost something counts, also where nothing is saved.
    if (saved !== undefined)
      await catalog.attributeEvals.recordEvals(saved.id, [], usage, new Date());
    return reportOf(computed, usage);
  } catch (error) {
    throw attributeFailure(error, activity);
  } finally {
    heartbeat.stop();
  }
}

/** The pipeline that the attribute has: another one is being tried in its place. */
async function savedPipeline(
  { attributePipelines }: AttributeCatalogs,
  { entityType, attribute }: AttributePlan,
): Promise<AttributePipeline | undefined> {
  try {
    return await attributePipelines.pipeline({ entityType, attribute });
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
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
