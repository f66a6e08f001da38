import type { Transaction } from 'kysely';
import { ulid } from 'ulid';
import { InvalidSettings, NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import { dependencyLevels } from '../../../src/attribute-pipeline/dependency-order.js';
import type { PipelinePlace } from '../../../src/attribute-pipeline/pipeline-catalog.js';
import type { PipelineInput } from '../../../src/attribute-pipeline/pipeline.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { writeJson } from '../values.js';

/** What a pipeline computes, as its tables name it. */
export interface ComputedAttribute {
  readonly attributeId: string;
  readonly entityTypeId: string;
  readonly pipelineId: string | null;
}

/**
 * The attribute that a pipeline is to compute, with its entity type locked: of two people who save pipelines of one type, one waits for the
 * other, so that no cycle can come about between them.
 *
 * @throws {@link NotFound}, {@link InvalidSettings} for one that others write
 */
export async function lockAttribute(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  { entityType, attribute }: PipelinePlace,
): Promise<ComputedAttribute> {
  const types = transaction.selectFrom('entity_types').select('id').where('name', '=', entityType);
  const type = await (database.locksRows ? types.forUpdate() : types).executeTakeFirst();
  if (type === undefined) throw new NotFound('entity type', entityType);
  const row = await transaction
    .selectFrom('attributes')
    .select(['id', 'editable', 'is_sync', 'pipeline_id'])
    .where('entity_type_id', '=', type.id)
    .where('name', '=', attribute)
    .executeTakeFirst();
  if (row === undefined) throw new NotFound(`attribute of ${entityType}`, attribute);
  const problems = [];
  if (row.editable === 'yes')
    problems.push({
      path: 'editable',
      message: `People write ${attribute}, and the pipeline would write over what they have written. Set editable to no, or to overridable.`,
    });
  if (row.is_sync === 'from_external' || row.is_sync === 'bidirectional')
    problems.push({
      path: 'is_sync',
      message: `Another system writes ${attribute}, too. Set is_sync to no or to_external.`,
    });
  if (problems.length > 0) throw new InvalidSettings(`${entityType}.${attribute}`, problems);
  return { attributeId: row.id, entityTypeId: type.id, pipelineId: row.pipeline_id };
}

/** Writes the modules of a pipeline, in place of those that it has. */
export async function writeModules(
  transaction: Transaction<Tables>,
  pipelineId: string,
  modules: PipelineInput['modules'],
  now: Date,
): Promise<void> {
  await transaction.deleteFrom('pipeline_modules').where('pipeline_id', '=', pipelineId).execute();
  if (modules.length === 0) return;
  const rows = modules.map(({ id, module, settings }, order) => ({
    id: id ?? ulid(now.getTime()),
    pipeline_id: pipelineId,
    order,
    module_class: module,
    settings: writeJson(settings),
    created_at: now,
    updated_at: now,
  }));
  await transaction.insertInto('pipeline_modules').values(rows).execute();
}

/**
 * Writes what a pipeline reads, in place of what it has read.
 *
 * @throws {@link NotFound}, {@link DependencyCycle}
 */
export async function writeInputs(
  transaction: Transaction<Tables>,
  pipelineId: string,
  { entityType }: PipelinePlace,
  entityTypeId: string,
  inputs: readonly string[],
): Promise<void> {
  await transaction.deleteFrom('pipeline_inputs').where('pipeline_id', '=', pipelineId).execute();
  if (inputs.length > 0) {
    const found = await transaction
      .selectFrom('attributes')
      .select(['id', 'name'])
      .where('entity_type_id', '=', entityTypeId)
      .where('name', 'in', inputs)
      .execute();
    const missing = inputs.find((input) => !found.some(({ name }) => name === input));
    if (missing !== undefined) throw new NotFound(`attribute of ${entityType}`, missing);
    await transaction
      .insertInto('pipeline_inputs')
      .values(found.map(({ id }) => ({ pipeline_id: pipelineId, attribute_id: id })))
      .execute();
  }
  await checkOrder(transaction, entityTypeId);
}

async function checkOrder(transaction: Transaction<Tables>, entityTypeId: string): Promise<void> {
  const pipelines = await transaction
    .selectFrom('pipelines')
    .innerJoin('attributes', 'attributes.id', 'pipelines.attribute_id')
    .select(['pipelines.id', 'attributes.name as output'])
    .where('pipelines.entity_type_id', '=', entityTypeId)
    .execute();
  const inputs = await transaction
    .selectFrom('pipeline_inputs')
    .innerJoin('attributes', 'attributes.id', 'pipeline_inputs.attribute_id')
    .select(['pipeline_inputs.pipeline_id', 'attributes.name'])
    .where('attributes.entity_type_id', '=', entityTypeId)
    .execute();
  dependencyLevels(
    pipelines.map(({ id, output }) => ({
      id,
      output,
      inputs: inputs.filter(({ pipeline_id }) => pipeline_id === id).map(({ name }) => name),
    })),
  );
}
