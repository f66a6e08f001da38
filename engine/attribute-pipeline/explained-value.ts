import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { ValuePlace } from '../../src/attribute-pipeline/entity-catalog.js';
import { staleReasons, type Explanation } from '../../src/attribute-pipeline/explanation.js';
import type { RunCatalog } from '../../src/attribute-pipeline/run-catalog.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { NO_VALUE } from '../../src/attribute-pipeline/value.js';

/** Where a value comes from, and whether it is as it would be computed now. @throws {@link NotFound} */
export async function explainedValue(
  { entities, attributePipelines, attributeRuns, attributeEvals }: AttributeCatalogs,
  { entityId, attribute: name }: ValuePlace,
): Promise<Explanation> {
  const { entityType, values } = await entities.entity(entityId);
  const attribute = await entities.attribute(entityType, name);
  const value = values[name] ?? NO_VALUE;
  if (attribute.pipelineId === null)
    return { value, pipeline: null, run: null, inputs: [], eval: null, staleReasons: [] };
  const pipeline = await attributePipelines.pipeline({ entityType, attribute: name });
  const inputs = pipeline.inputs.map((input) => ({
    attribute: input,
    usedVersion: value.inputs?.[input] ?? null,
    value: values[input] ?? NO_VALUE,
  }));
  const pending = await attributeRuns.pendingChange(pipeline.id, entityId);
  return {
    value,
    pipeline,
    run: value.runId === null ? null : await runOrNone(attributeRuns, value.runId),
    inputs,
    eval: await attributeEvals.evalFor(pipeline.id, entityId),
    staleReasons: staleReasons(value, pipeline, inputs, pending),
  };
}

/** Runs are removed together with their pipelines; values stay. */
async function runOrNone(runs: Pick<RunCatalog, 'run'>, id: string): Promise<AttributeRun | null> {
  try {
    return await runs.run(id);
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}
