import type { Kysely, Selectable } from 'kysely';
import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { Comparison, Eval } from '../../../src/attribute-pipeline/eval.js';
import type { PipelineEvalsTable } from '../attribute-tables.js';
import type { Tables } from '../tables.js';
import { readFlag, readJson, readOptionalTime, readTime } from '../values.js';

/** A row of an eval, with what its pipeline computes. */
export type EvalRow = Selectable<PipelineEvalsTable> & {
  readonly entity_type: string;
  readonly attribute: string;
  readonly entity_key: string | null;
};

/** Evals with the names of what they are of. */
export function selectEvals(db: Kysely<Tables>) {
  return db
    .selectFrom('pipeline_evals')
    .innerJoin('pipelines', 'pipelines.id', 'pipeline_evals.pipeline_id')
    .innerJoin('attributes', 'attributes.id', 'pipelines.attribute_id')
    .innerJoin('entity_types', 'entity_types.id', 'pipelines.entity_type_id')
    .innerJoin('entities', 'entities.id', 'pipeline_evals.entity_id')
    .selectAll('pipeline_evals')
    .select([
      'entity_types.name as entity_type',
      'attributes.name as attribute',
      'entities.key as entity_key',
    ]);
}

/** @throws {@link NotFound} */
export async function findEval(db: Kysely<Tables>, id: string): Promise<Eval> {
  const row = await selectEvals(db).where('pipeline_evals.id', '=', id).executeTakeFirst();
  if (row === undefined) throw new NotFound('eval', id);
  return evalOf(row);
}

/** An eval as the port tells it. */
export function evalOf(row: EvalRow): Eval {
  return {
    id: row.id,
    entityType: row.entity_type,
    attribute: row.attribute,
    entityId: row.entity_id,
    entityKey: row.entity_key,
    desiredOutput: readJson(row.desired_output),
    // Only evals write the column.
    comparison: JSON.parse(row.comparison) as Comparison,
    notes: row.notes,
    inputHash: row.input_hash,
    actualOutput: row.actual_output === null ? undefined : readJson(row.actual_output),
    justification: row.justification,
    confidence: row.confidence,
    passed: row.passed === null ? null : readFlag(row.passed),
    lastRanAt: readOptionalTime(row.last_ran_at),
    lockVersion: row.lock_version,
    updatedBy: row.updated_by,
    createdAt: readTime(row.created_at),
    updatedAt: readTime(row.updated_at),
  };
}
