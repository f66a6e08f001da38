import type { Transaction } from 'kysely';
import { NotFound } from '../../../src/attribute-pipeline/catalog-errors.js';
import { PIPELINE_DEFAULTS, pipelineName } from '../../../src/attribute-pipeline/pipeline.js';
import type { PipelinePlace } from '../../../src/attribute-pipeline/pipeline-catalog.js';
import type { AttributeRun } from '../../../src/attribute-pipeline/run.js';
import type {
  RunCatalog,
  RunClaim,
  RunRequest,
} from '../../../src/attribute-pipeline/run-catalog.js';
import type { CatalogDatabase } from '../database.js';
import { attributesOf } from '../entities/attributes.js';
import { filtered } from '../entities/filtered-entities.js';
import type { Tables } from '../tables.js';
import { optionalText, plainText } from '../values.js';
import { readPipelines, selectPipelines, type PipelineRow } from './pipeline-rows.js';
import { attributeRun, findRun, selectRuns } from './run-rows.js';

/** The part of the port that decides who may run a pipeline. */
export function runClaims(
  database: CatalogDatabase,
): Pick<RunCatalog, 'request' | 'claim' | 'end' | 'noteCancelled'> {
  return {
    noteCancelled: (id, principal) =>
      database.write(async (transaction) => {
        await transaction
          .updateTable('pipeline_runs')
          .set({ cancelled_by: plainText(principal) })
          .where('id', '=', id)
          .where('completed_at', 'is', null)
          .where('cancelled_by', 'is', null)
          .execute();
      }),
    request: (wanted) => database.write((transaction) => addRequest(database, transaction, wanted)),
    claim: (id, now) => database.write((transaction) => claim(database, transaction, id, now)),
    end: (id, status, errorMessage, now) =>
      database.write(async (transaction) => {
        const row = await findRun(transaction, id);
        const ended = await transaction
          .updateTable('pipeline_runs')
          .set({
            status,
            error_message: optionalText(errorMessage),
            completed_at: now,
          })
          .where('id', '=', id)
          .where('status', '=', row.status)
          .where('status', 'in', ['waiting', 'running'])
          .executeTakeFirst();
        const hasRun = ended.numUpdatedRows > 0n && row.status === 'running';
        if (hasRun) await tellPipeline(transaction, row.pipeline_id, id, now);
        return attributeRun(await findRun(transaction, id));
      }),
  };
}

/** Locked: of two who claim it at once, one gets it. */
async function lockPipeline(
  { locksRows }: CatalogDatabase,
  transaction: Transaction<Tables>,
  place: PipelinePlace,
): Promise<PipelineRow> {
  const row: PipelineRow | undefined = await selectPipelines(transaction)
    .where('entity_types.name', '=', place.entityType)
    .where('attributes.name', '=', place.attribute)
    .$if(locksRows, (query) => query.forUpdate('pipelines'))
    .executeTakeFirst();
  if (row === undefined) throw new NotFound('pipeline', pipelineName(place));
  return row;
}

async function addRequest(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  { id, workflowId, place, trigger, reference, principal, task, now }: RunRequest,
): Promise<AttributeRun> {
  const pipeline = await lockPipeline(database, transaction, place);
  const known = await selectRuns(transaction).where('pipeline_runs.id', '=', id).executeTakeFirst();
  if (known !== undefined) return attributeRun(known);
  // Refused here, and not when the run has begun.
  if (task.filter !== undefined)
    filtered(database, task.filter, await attributesOf(transaction, place.entityType));
  if (task.retryOf !== undefined) await checkRetried(transaction, pipeline, task.retryOf);
  const given = { reference: optionalText(reference), principal: optionalText(principal) };
  const cause = trigger === 'entity_save' ? await lastSaved(transaction, pipeline.id) : given;
  const runSeq = pipeline.last_run_seq + 1;
  await transaction
    .updateTable('pipelines')
    .set({ last_run_seq: runSeq })
    .where('id', '=', pipeline.id)
    .execute();
  await transaction
    .insertInto('pipeline_runs')
    .values({
      id,
      pipeline_id: pipeline.id,
      pipeline_version: pipeline.pipeline_version,
      run_seq: runSeq,
      workflow_id: workflowId,
      triggered_by: trigger,
      trigger_reference: cause.reference,
      principal: cause.principal,
      status: 'waiting',
      batch_size: pipeline.batch_size ?? PIPELINE_DEFAULTS.batchSize,
      task: JSON.stringify(task),
      started_at: now,
      created_at: now,
    })
    .execute();
  return attributeRun(await findRun(transaction, id));
}

/** The entity that was saved last of those that a run is for, and who has saved it. */
async function lastSaved(
  transaction: Transaction<Tables>,
  pipelineId: string,
): Promise<{ readonly reference: string | null; readonly principal: string | null }> {
  const row = await transaction
    .selectFrom('pipeline_changes')
    .select(['entity_id', 'principal'])
    .where('pipeline_id', '=', pipelineId)
    .orderBy('at', 'desc')
    .orderBy('entity_id')
    .limit(1)
    .executeTakeFirst();
  return { reference: row?.entity_id ?? null, principal: row?.principal ?? null };
}

async function claim(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  id: string,
  now: Date,
): Promise<RunClaim> {
  const { entity_type: entityType, attribute } = await findRun(transaction, id);
  const pipeline = await lockPipeline(database, transaction, { entityType, attribute });
  const run = attributeRun(await findRun(transaction, id));
  if (run.status === 'running') return claimed(transaction, pipeline, id);
  if (run.status !== 'waiting') return { kind: 'over', run };
  const active = await selectRuns(transaction)
    .where('pipeline_runs.pipeline_id', '=', pipeline.id)
    .where('pipeline_runs.status', '=', 'running')
    .executeTakeFirst();
  if (active !== undefined) return { kind: 'active', run: attributeRun(active) };
  await transaction
    .updateTable('pipeline_runs')
    .set({
      status: 'running',
      // As they are now: it may have waited.
      pipeline_version: pipeline.pipeline_version,
      batch_size: pipeline.batch_size ?? PIPELINE_DEFAULTS.batchSize,
      started_at: now,
    })
    .where('id', '=', id)
    .execute();
  return claimed(transaction, pipeline, id);
}

async function claimed(
  transaction: Transaction<Tables>,
  row: PipelineRow,
  runId: string,
): Promise<RunClaim> {
  const [pipeline] = await readPipelines(transaction, [row]);
  const run = attributeRun(await findRun(transaction, runId));
  if (pipeline === undefined) throw new NotFound('pipeline', pipelineName(run));
  return { kind: 'claimed', run, pipeline };
}

async function checkRetried(
  transaction: Transaction<Tables>,
  pipeline: PipelineRow,
  runId: string,
): Promise<void> {
  const { pipeline_id } = await findRun(transaction, runId);
  if (pipeline_id === pipeline.id) return;
  const name = pipelineName({ entityType: pipeline.entity_type, attribute: pipeline.attribute });
  throw new NotFound(`run of pipeline ${name}`, runId);
}

/** What a list of pipelines shows of its last run; and whether all that had changed, and every entity for its version, was looked at. */
async function tellPipeline(
  transaction: Transaction<Tables>,
  pipelineId: string,
  runId: string,
  now: Date,
): Promise<void> {
  const run = attributeRun(await findRun(transaction, runId));
  const { filter, maxEntities, entityIds, retryOf, changedOnly } = run.task;
  const isPart = [filter, maxEntities, entityIds, retryOf].some((part) => part !== undefined);
  const isWhole = !isPart && changedOnly === undefined;
  const { startedAt } = run;
  await transaction
    .updateTable('pipelines')
    .set({
      last_run_at: startedAt,
      ...(!isPart && { looked_at: startedAt }),
      last_run_status: run.status,
      last_run_duration_ms: now.getTime() - startedAt.getTime(),
      last_run_processed: run.counts.processed,
      last_run_failed: run.counts.failed,
      last_run_tokens_in: run.tokensIn,
      last_run_tokens_out: run.tokensOut,
      ...(isWhole && run.status === 'completed' && { covered_version: run.pipelineVersion }),
    })
    .where('id', '=', pipelineId)
    .execute();
}
