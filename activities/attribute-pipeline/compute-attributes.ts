import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { attributeProgress, attributeProgressData } from '../../src/attribute-pipeline/progress.js';
import pLimit, { type LimitFunction } from 'p-limit';
import type { ComputeOutcome, ComputeTask } from '../../src/attribute-pipeline/plan.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import type { Attribute } from '../../src/attribute-pipeline/attribute.js';
import { costOf } from '../../src/pipeline/model-price.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ActivityDependencies } from '../dependencies.js';
import { startHeartbeat } from '../heartbeat.js';
import { runReference } from '../run-reference.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { attributeFailure, runOver } from './attribute-failure.js';
import type { BatchSurroundings } from './module-batch.js';
import { planModules } from './plan-modules.js';
import { RunWork } from './run-work.js';

/** How far it is is told at most so often. */
const BEAT_MS = 200;

/** Computes values of a run's entities for a while. What was written stays, whatever comes after it. */
export async function computeAttributes(
  deps: ActivityDependencies,
  { run: id, begun: { plan, total } }: ComputeTask,
): Promise<ComputeOutcome> {
  const activity = Context.current();
  const heartbeat = startHeartbeat(activity);
  const startedAt = performance.now();
  const rate = (looked: number): number =>
    (looked * 1_000) / Math.max(1, performance.now() - startedAt);
  let beatAt = 0;
  try {
    const { entities, attributeRuns: runs } = await attributeDependencies(deps).catalog();
    const run = await runs.run(id);
    if (run.status !== 'running') throw runOver(run);
    const attributes = await entities.attributes(plan.entityType);
    const work = new RunWork({
      runs,
      run,
      plan,
      attributes,
      modules: planModules(plan, deps.code.modules),
      surroundings: await surroundings(deps, activity, run, attributes),
      costOf: (usage) => costOf(deps.code.model(usage.model)?.price, usage),
      onWritten: (position, looked) => {
        // Batches are written much more often than anybody looks.
        if (performance.now() - beatAt < BEAT_MS) return;
        beatAt = performance.now();
        heartbeat.beat(attributeProgressData(attributeProgress(position, total, rate(looked))));
      },
    });
    const { done, failure, budget, position, looked } = await work.go();
    // A run that was cancelled must not look as if it had come to an end by itself.
    if (!done) activity.cancellationSignal.throwIfAborted();
    return {
      done,
      attributes: attributeProgress(position, total, rate(looked)),
      ...(failure !== undefined && { failure }),
      ...(budget !== undefined && { budget }),
    };
  } catch (error) {
    throw attributeFailure(error, activity);
  } finally {
    heartbeat.stop();
  }
}

async function surroundings(
  deps: ActivityDependencies,
  { info, cancellationSignal }: Context,
  { entityType, attribute }: AttributeRun,
  attributes: readonly Attribute[],
): Promise<Omit<BatchSurroundings, 'attribute' | 'pipelineVersion'>> {
  const { code, services } = deps;
  const run = runReference(info, undefined);
  const labels = new Map(attributes.map(({ name, label }) => [name, label ?? name]));
  return {
    signal: cancellationSignal,
    log: deps.log.child({ run: run.id, attribute_pipeline: `${entityType}.${attribute}` }),
    run,
    services,
    model: (name) => {
      const model = code.model(name);
      if (model === undefined) throw permanent(unknownName(name, code.modelNames, 'model'));
      return model;
    },
    sandbox: await attributeDependencies(deps).sandbox(),
    limit: sharedLimits(),
    sleep: (ms) => delay(ms, undefined, { signal: cancellationSignal }),
    labelOf: (input) => labels.get(input) ?? input,
  };
}

/** One limit for each number: batches that overlap share it. */
function sharedLimits(): BatchSurroundings['limit'] {
  const limits = new Map<number, LimitFunction>();
  return (concurrency) => {
    const limit = limits.get(concurrency) ?? pLimit(concurrency);
    limits.set(concurrency, limit);
    return (work) => limit(work);
  };
}
