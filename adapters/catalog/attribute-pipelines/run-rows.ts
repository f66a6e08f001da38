import type { CompiledQuery, Kysely, Selectable } from 'kysely';
import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import type { AttributeRun, RunCounts, RunTask } from '../../../src/attribute-pipeline/run.js';
import type { NeedsApproval } from '../../../src/attribute-pipeline/attribute.js';
import type { PipelineRunsTable } from '../attribute-tables.js';
import type { Tables } from '../tables.js';
import { readOptionalTime, readTime } from '../values.js';

/** A row of a run, with what its pipeline is called by, and what holds for it now. */
export type RunRow = Selectable<PipelineRunsTable> & {
  readonly entity_type_id: string;
  readonly entity_type: string;
  readonly attribute_id: string;
  readonly attribute: string;
  readonly needs_approval: NeedsApproval;
  readonly covered_version: number;
  readonly reads_elsewhere: boolean | number;
  readonly run_budget: number | null;
  readonly day_budget: number | null;
};

/** Runs with the names of what they compute. */
export function selectRuns(db: Kysely<Tables>) {
  return db
    .selectFrom('pipeline_runs')
    .innerJoin('pipelines', 'pipelines.id', 'pipeline_runs.pipeline_id')
    .innerJoin('attributes', 'attributes.id', 'pipelines.attribute_id')
    .innerJoin('entity_types', 'entity_types.id', 'pipelines.entity_type_id')
    .selectAll('pipeline_runs')
    .select([
      'pipelines.entity_type_id',
      'entity_types.name as entity_type',
      'pipelines.attribute_id',
      'attributes.name as attribute',
      'attributes.needs_approval',
      'pipelines.covered_version',
      'pipelines.reads_elsewhere',
      'pipelines.run_budget',
      'pipelines.day_budget',
    ]);
}

/** @throws {@link NotFound} */
export async function findRun(db: Kysely<Tables>, id: string): Promise<RunRow> {
  const { rows } = await db.executeQuery(runQuery(db, id));
  const [row] = rows;
  if (row === undefined) throw new NotFound('run', id);
  return row;
}

/** By database. */
const runQueries = new WeakMap<object, CompiledQuery<RunRow>>();

/** It is asked for each batch of a run, several times: its text is made once. */
function runQuery(db: Kysely<Tables>, id: string): CompiledQuery<RunRow> {
  const { adapter } = db.getExecutor();
  const known =
    runQueries.get(adapter) ?? selectRuns(db).where('pipeline_runs.id', '=', id).compile();
  runQueries.set(adapter, known);
  return { ...known, parameters: [id] };
}

/** What a run was asked for. */
export function taskOf({ task }: Pick<RunRow, 'task'>): RunTask {
  // Only claims write the column.
  return JSON.parse(task) as RunTask;
}

/** The columns of {@link RunCounts}. */
export const RUN_COUNTERS = [
  'entities_processed',
  'entities_failed',
  'entities_skipped',
  'entities_unchanged',
  'batches',
] as const;

export function countsOf(row: Pick<RunRow, (typeof RUN_COUNTERS)[number]>): RunCounts {
  return {
    processed: row.entities_processed,
    failed: row.entities_failed,
    skipped: row.entities_skipped,
    unchanged: row.entities_unchanged,
    batches: row.batches,
  };
}

/** A run as the port tells it. */
export function attributeRun(row: RunRow): AttributeRun {
  return {
    id: row.id,
    pipelineId: row.pipeline_id,
    entityType: row.entity_type,
    attribute: row.attribute,
    pipelineVersion: row.pipeline_version,
    runSeq: row.run_seq,
    workflowId: row.workflow_id,
    trigger: row.triggered_by,
    reference: row.trigger_reference,
    principal: row.principal,
    status: row.status,
    batchSize: row.batch_size,
    task: taskOf(row),
    counts: countsOf(row),
    tokensIn: row.tokens_in,
    tokensOut: row.tokens_out,
    cost: row.cost,
    warnings: warningsOf(row),
    createdAt: readTime(row.created_at),
    startedAt: readTime(row.started_at),
    completedAt: readOptionalTime(row.completed_at),
    errorMessage: row.error_message,
    cancelledBy: row.cancelled_by,
  };
}

/** What a run has to say that is no failure. */
export function warningsOf({ warnings }: Pick<RunRow, 'warnings'>): readonly string[] {
  // Only batches write the column.
  return warnings === null ? [] : (JSON.parse(warnings) as readonly string[]);
}
