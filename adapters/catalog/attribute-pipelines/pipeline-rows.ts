import type { Kysely, Selectable } from 'kysely';
import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import {
  pipelineName,
  type AttributePipeline,
  type LastRun,
} from '../../../src/attribute-pipeline/pipeline.js';
import type { PipelinePlace } from '../../../src/attribute-pipeline/pipeline-catalog.js';
import type { PipelinesTable } from '../attribute-tables.js';
import type { Tables } from '../tables.js';
import { readFlag, readObject, readTime } from '../values.js';

/** A row of a pipeline, with what it is called by. */
export type PipelineRow = Selectable<PipelinesTable> & {
  readonly entity_type: string;
  readonly attribute: string;
};

/** Pipelines with the names of what they compute. */
export function selectPipelines(db: Kysely<Tables>) {
  return db
    .selectFrom('pipelines')
    .innerJoin('attributes', 'attributes.id', 'pipelines.attribute_id')
    .innerJoin('entity_types', 'entity_types.id', 'pipelines.entity_type_id')
    .selectAll('pipelines')
    .select(['entity_types.name as entity_type', 'attributes.name as attribute']);
}

/** The row of a pipeline, if there is one. */
export function findPipeline(
  db: Kysely<Tables>,
  { entityType, attribute }: PipelinePlace,
): Promise<PipelineRow | undefined> {
  return selectPipelines(db)
    .where('entity_types.name', '=', entityType)
    .where('attributes.name', '=', attribute)
    .executeTakeFirst();
}

/** @throws {@link NotFound} */
export async function pipelineRow(db: Kysely<Tables>, place: PipelinePlace): Promise<PipelineRow> {
  const row = await findPipeline(db, place);
  if (row === undefined) throw new NotFound('pipeline', pipelineName(place));
  return row;
}

/** Pipelines with their modules and inputs, in the order of the rows. */
export async function readPipelines(
  db: Kysely<Tables>,
  rows: readonly PipelineRow[],
): Promise<readonly AttributePipeline[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const modules = await db
    .selectFrom('pipeline_modules')
    .select(['id', 'pipeline_id', 'module_class', 'settings'])
    .where('pipeline_id', 'in', ids)
    .orderBy('order')
    .execute();
  const inputs = await db
    .selectFrom('pipeline_inputs')
    .innerJoin('attributes', 'attributes.id', 'pipeline_inputs.attribute_id')
    .select(['pipeline_inputs.pipeline_id', 'attributes.name'])
    .where('pipeline_inputs.pipeline_id', 'in', ids)
    .orderBy('attributes.name')
    .execute();
  return rows.map((row) =>
    pipelineOf(
      row,
      modules.filter(({ pipeline_id }) => pipeline_id === row.id),
      inputs.filter(({ pipeline_id }) => pipeline_id === row.id).map(({ name }) => name),
    ),
  );
}

interface ModuleRow {
  readonly id: string;
  readonly module_class: string;
  readonly settings: string;
}

function pipelineOf(
  row: PipelineRow,
  modules: readonly ModuleRow[],
  inputs: readonly string[],
): AttributePipeline {
  return {
    id: row.id,
    entityType: row.entity_type,
    attribute: row.attribute,
    attributeId: row.attribute_id,
    name: row.name,
    modules: modules.map(({ id, module_class, settings }) => ({
      id,
      module: module_class,
      settings: readObject(settings),
    })),
    inputs,
    onError: row.on_error,
    readsElsewhere: readFlag(row.reads_elsewhere),
    automatic: readFlag(row.automatic),
    batchSize: row.batch_size,
    runBudget: row.run_budget,
    dayBudget: row.day_budget,
    version: row.pipeline_version,
    versionAt: readTime(row.pipeline_updated_at),
    lastRun: lastRunOf(row),
    lockVersion: row.lock_version,
    updatedBy: row.updated_by,
    createdAt: readTime(row.created_at),
    updatedAt: readTime(row.updated_at),
  };
}

function lastRunOf(row: PipelineRow): LastRun | null {
  if (row.last_run_at === null || row.last_run_status === null) return null;
  return {
    at: readTime(row.last_run_at),
    status: row.last_run_status,
    durationMs: row.last_run_duration_ms,
    processed: row.last_run_processed ?? 0,
    failed: row.last_run_failed ?? 0,
    tokensIn: row.last_run_tokens_in,
    tokensOut: row.last_run_tokens_out,
  };
}
