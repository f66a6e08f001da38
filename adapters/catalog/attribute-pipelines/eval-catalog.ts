import type { Transaction } from 'kysely';
import { ulid } from 'ulid';
import {
  EditConflict,
  NameTaken,
  NotFound,
} from '../../../src/attribute-pipeline/catalog-errors.js';
import type { Author } from '../../../src/attribute-pipeline/entity-catalog.js';
import type { EvalCatalog } from '../../../src/attribute-pipeline/eval-catalog.js';
import { passes, type Eval, type EvalInput } from '../../../src/attribute-pipeline/eval.js';
import type { PipelinePlace } from '../../../src/attribute-pipeline/pipeline-catalog.js';
import { pipelineName } from '../../../src/attribute-pipeline/pipeline.js';
import type { CatalogDatabase } from '../database.js';
import { findEntity } from '../entities/entity-rows.js';
import type { Tables } from '../tables.js';
import { optionalText, plainText, readJson, writeJson } from '../values.js';
import { evalOf, findEval, selectEvals } from './eval-rows.js';
import { evalRates } from './eval-rates.js';
import { evalRuns } from './eval-runs.js';
import { pipelineRow } from './pipeline-rows.js';

/** Evals in a SQL database. */
export function evalCatalog(database: CatalogDatabase): EvalCatalog {
  return {
    ...evalRuns(database),
    ...evalRates(database),
    addEval: (place, input, by) =>
      database.write((transaction) => add(transaction, place, input, by)),
    addEvalOfOverride: (place, of, by) =>
      database.write(async (transaction) => {
        const desiredOutput = await overrideOf(transaction, place, of.entityId);
        return add(transaction, place, { ...of, desiredOutput }, by);
      }),
    eval: (id) => database.read((db) => findEval(db, id)),
    evalFor: async (pipelineId, entityId) => {
      const row = await database.read((db) =>
        selectEvals(db)
          .where('pipeline_evals.pipeline_id', '=', pipelineId)
          .where('pipeline_evals.entity_id', '=', entityId)
          .executeTakeFirst(),
      );
      return row === undefined ? null : evalOf(row);
    },
    evals: (place, { after, limit }, { passed } = {}) =>
      database.read(async (db) => {
        const pipeline = await pipelineRow(db, place);
        let query = selectEvals(db)
          .where('pipeline_evals.pipeline_id', '=', pipeline.id)
          .orderBy('pipeline_evals.id')
          .limit(limit + 1);
        if (after !== undefined) query = query.where('pipeline_evals.id', '>', after);
        if (passed !== undefined) query = query.where('pipeline_evals.passed', '=', passed);
        const rows = await query.execute();
        const items = rows.slice(0, limit).map(evalOf);
        const last = items.at(-1);
        return { items, ...(rows.length > limit && last !== undefined && { next: last.id }) };
      }),
    changeEval: (id, change, lockVersion, by) =>
      database.write((transaction) => alter(transaction, id, change, lockVersion, by)),
    removeEval: (id) =>
      database.write(async (transaction) => {
        const { numDeletedRows } = await transaction
          .deleteFrom('pipeline_evals')
          .where('id', '=', id)
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw new NotFound('eval', id);
      }),
  };
}

async function add(
  transaction: Transaction<Tables>,
  place: PipelinePlace,
  { entityId, desiredOutput, comparison, notes }: EvalInput,
  { principal, now }: Author,
): Promise<Eval> {
  const pipeline = await pipelineRow(transaction, place);
  const { entity_type } = await findEntity(transaction, entityId);
  if (entity_type !== place.entityType) throw new NotFound(place.entityType, entityId);
  const id = ulid(now.getTime());
  const added = await transaction
    .insertInto('pipeline_evals')
    .values({
      id,
      pipeline_id: pipeline.id,
      entity_id: entityId,
      desired_output: writeJson(desiredOutput),
      comparison: writeJson({ ...comparison }),
      notes: optionalText(notes),
      updated_by: plainText(principal),
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.columns(['pipeline_id', 'entity_id']).doNothing())
    .executeTakeFirst();
  if (added.numInsertedOrUpdatedRows === 0n)
    throw new NameTaken(`eval of ${pipelineName(place)} for the entity`, entityId);
  return findEval(transaction, id);
}

async function overrideOf(
  transaction: Transaction<Tables>,
  place: PipelinePlace,
  entityId: string,
) {
  const { attribute_id } = await pipelineRow(transaction, place);
  const row = await transaction
    .selectFrom('eav_versioned')
    .select('value_override')
    .where('entity_id', '=', entityId)
    .where('attribute_id', '=', attribute_id)
    .executeTakeFirst();
  const text = row?.value_override ?? null;
  if (text === null) throw new NotFound(`override of ${place.attribute} of the entity`, entityId);
  return readJson(text);
}

async function alter(
  transaction: Transaction<Tables>,
  id: string,
  change: Partial<Omit<EvalInput, 'entityId'>>,
  lockVersion: number,
  { principal, now }: Author,
): Promise<Eval> {
  const before = await findEval(transaction, id);
  const { desiredOutput, comparison, notes, actualOutput, lastRanAt } = { ...before, ...change };
  const passed =
    lastRanAt === null
      ? null
      : actualOutput !== undefined && passes(comparison, desiredOutput, actualOutput);
  const { numUpdatedRows } = await transaction
    .updateTable('pipeline_evals')
    .set({
      desired_output: writeJson(desiredOutput),
      comparison: writeJson({ ...comparison }),
      notes: optionalText(notes),
      passed,
      lock_version: lockVersion + 1,
      updated_by: plainText(principal),
      updated_at: now,
    })
    .where('id', '=', id)
    .where('lock_version', '=', lockVersion)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new EditConflict(`Eval ${id}`, lockVersion, before.lockVersion);
  return findEval(transaction, id);
}
