import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '@temporalio/activity';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Attribute } from '../../src/attribute-pipeline/attribute.js';
import type { PipelinePlace } from '../../src/attribute-pipeline/pipeline-catalog.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ActivityDependencies } from '../dependencies.js';
import { runReference } from '../run-reference.js';
import { attributeDependencies } from './attribute-dependencies.js';
import type { BatchSurroundings } from './module-batch.js';

/** What modules get of the worker that runs them. @param attributes - all of the entity type */
export async function runSurroundings(
  deps: ActivityDependencies,
  { info, cancellationSignal }: Context,
  { entityType, attribute }: PipelinePlace,
  attributes: readonly Attribute[],
): Promise<Omit<BatchSurroundings, 'attribute' | 'pipelineVersion'>> {
  const { code, services } = deps;
  const run = runReference(info, undefined);
  const relatedType = attributes.find(({ name }) => name === attribute)?.relatedType ?? null;
  const dependencies = attributeDependencies(deps);
  const { entities } = await dependencies.catalog();
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
    sandbox: await dependencies.sandbox(),
    limit: sharedLimits(),
    sleep: (ms) => delay(ms, undefined, { signal: cancellationSignal }),
    labelOf: (input) => labels.get(input) ?? input,
    ...(relatedType !== null && {
      related: {
        entityType: relatedType,
        missing: (ids) => entities.missingIds(relatedType, ids),
      },
    }),
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
