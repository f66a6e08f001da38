import type { Transaction } from 'kysely';
import { ulid } from 'ulid';
import {
  EditConflict,
  InUse,
  NameTaken,
  NotFound,
} from '../../../src/attribute-pipeline/catalog-errors.js';
import type { Author } from '../../../src/attribute-pipeline/entity-catalog.js';
import type {
  PipelineCatalog,
  PipelinePlace,
} from '../../../src/attribute-pipeline/pipeline-catalog.js';
import {
  pipelineName,
  type AttributePipeline,
  type PipelineInput,
  type PipelineSettings,
} from '../../../src/attribute-pipeline/pipeline.js';
import { canonicalJson } from '../../../src/definition/json.js';
import type { CatalogDatabase } from '../database.js';
import type { Tables } from '../tables.js';
import { plainText } from '../values.js';
import { findPipeline, readPipelines, selectPipelines, type PipelineRow } from './pipeline-rows.js';
import { lockAttribute, writeInputs, writeModules } from './saved-pipeline.js';

/** The pipelines of attributes in a SQL database. */
export function pipelineCatalog(database: CatalogDatabase): PipelineCatalog {
  return {
    addPipeline: (place, input, by) =>
      database.write((transaction) => add(database, transaction, place, input, by)),
    checkPipeline: (place, input, by) => check(database, place, input, by),
    pipeline: (place) => database.read((db) => readOne(db, place)),
    pipelines: async ({ after, limit }, { entityType } = {}) => {
      const [typeAfter = '', attributeAfter = ''] = after?.split('.') ?? [];
      const read = await database.read(async (db) => {
        let query = selectPipelines(db)
          .orderBy('entity_types.name')
          .orderBy('attributes.name')
          .limit(limit + 1);
        if (entityType !== undefined) query = query.where('entity_types.name', '=', entityType);
        if (after !== undefined)
          query = query.where((eb) =>
            eb.or([
              eb('entity_types.name', '>', typeAfter),
              eb.and([
                eb('entity_types.name', '=', typeAfter),
                eb('attributes.name', '>', attributeAfter),
              ]),
            ]),
          );
        return readPipelines(db, await query.execute());
      });
      const items = read.slice(0, limit);
      const last = items.at(-1);
      return {
        items,
        ...(read.length > limit && last !== undefined && { next: pipelineName(last) }),
      };
    },
    changePipeline: (place, change, lockVersion, by) =>
      database.write((transaction) =>
        alter(database, transaction, { place, change, lockVersion, by }),
      ),
    removePipeline: (place) =>
      database.write((transaction) => remove(database, transaction, place)),
  };
}

async function readOne(
  db: Parameters<typeof findPipeline>[0],
  place: PipelinePlace,
): Promise<AttributePipeline> {
  const row = await findPipeline(db, place);
  const [pipeline] = row === undefined ? [] : await readPipelines(db, [row]);
  if (pipeline === undefined) throw new NotFound('pipeline', pipelineName(place));
  return pipeline;
}

async function add(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  place: PipelinePlace,
  input: PipelineInput,
  { principal, now }: Author,
): Promise<AttributePipeline> {
  const { attributeId, entityTypeId, pipelineId } = await lockAttribute(
    database,
    transaction,
    place,
  );
  if (pipelineId !== null) throw new NameTaken('pipeline', pipelineName(place));
  await checkName(transaction, entityTypeId, input.name, undefined);
  const id = ulid(now.getTime());
  await transaction
    .insertInto('pipelines')
    .values({
      id,
      attribute_id: attributeId,
      entity_type_id: entityTypeId,
      ...settingsOf(input),
      pipeline_updated_at: now,
      updated_by: plainText(principal),
      created_at: now,
      updated_at: now,
    })
    .execute();
  await transaction
    .updateTable('attributes')
    .set({ pipeline_id: id })
    .where('id', '=', attributeId)
    .execute();
  await writeModules(transaction, id, input.modules, now);
  await writeInputs(transaction, id, place, entityTypeId, input.inputs);
  return readOne(transaction, place);
}

/** Undoes what was only tried. */
class Tried extends Error {}

async function check(
  database: CatalogDatabase,
  place: PipelinePlace,
  input: PipelineInput,
  by: Author,
): Promise<void> {
  try {
    await database.write(async (transaction) => {
      const known = await findPipeline(transaction, place);
      if (known === undefined) await add(database, transaction, place, input, by);
      else {
        const lockVersion = known.lock_version;
        await alter(database, transaction, { place, change: input, lockVersion, by });
      }
      throw new Tried();
    });
  } catch (error) {
    if (!(error instanceof Tried)) throw error;
  }
}

/** The columns of what somebody sets of a pipeline, and of what follows from its modules. */
function settingsOf({
  name,
  onError,
  automatic,
  readsElsewhere,
  batchSize,
  runBudget,
  dayBudget,
}: PipelineSettings & Pick<PipelineInput, 'readsElsewhere'>) {
  return {
    name,
    on_error: onError,
    automatic,
    reads_elsewhere: readsElsewhere,
    batch_size: batchSize,
    run_budget: runBudget,
    day_budget: dayBudget,
  };
}

async function checkName(
  transaction: Transaction<Tables>,
  entityTypeId: string,
  name: string | null,
  ownId: string | undefined,
): Promise<void> {
  if (name === null) return;
  const row = await transaction
    .selectFrom('pipelines')
    .select('id')
    .where('entity_type_id', '=', entityTypeId)
    .where('name', '=', name)
    .executeTakeFirst();
  if (row !== undefined && row.id !== ownId) throw new NameTaken('pipeline', name);
}

interface Alteration {
  readonly place: PipelinePlace;
  readonly change: Partial<PipelineInput>;
  readonly lockVersion: number;
  readonly by: Author;
}

async function alter(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  { place, change, lockVersion, by: { principal, now } }: Alteration,
): Promise<AttributePipeline> {
  const { entityTypeId } = await lockAttribute(database, transaction, place);
  const before = await readOne(transaction, place);
  if (before.lockVersion !== lockVersion)
    throw new EditConflict(`Pipeline ${pipelineName(place)}`, lockVersion, before.lockVersion);
  const after: PipelineInput = { ...before, ...change };
  await checkName(transaction, entityTypeId, after.name, before.id);
  const isOther = whatCounts(after.modules) !== whatCounts(before.modules);
  await transaction
    .updateTable('pipelines')
    .set({
      ...settingsOf(after),
      ...(isOther && { pipeline_version: before.version + 1, pipeline_updated_at: now }),
      lock_version: before.lockVersion + 1,
      updated_by: plainText(principal),
      updated_at: now,
    })
    .where('id', '=', before.id)
    .execute();
  if (isOther) await writeModules(transaction, before.id, after.modules, now);
  await writeInputs(transaction, before.id, place, entityTypeId, after.inputs);
  return readOne(transaction, place);
}

/** What values depend on. */
function whatCounts(modules: PipelineInput['modules']): string {
  return canonicalJson(modules.map(({ module, settings }) => ({ module, settings })));
}

async function remove(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  place: PipelinePlace,
): Promise<void> {
  const rows = selectPipelines(transaction)
    .where('entity_types.name', '=', place.entityType)
    .where('attributes.name', '=', place.attribute);
  const row: PipelineRow | undefined = await (
    database.locksRows ? rows.forUpdate('pipelines') : rows
  ).executeTakeFirst();
  if (row === undefined) throw new NotFound('pipeline', pipelineName(place));
  const active = await transaction
    .selectFrom('pipeline_runs')
    .select('id')
    .where('pipeline_id', '=', row.id)
    .where('status', '=', 'running')
    .executeTakeFirst();
  if (active !== undefined)
    throw new InUse(
      `Pipeline ${pipelineName(place)}`,
      `run ${active.id} goes on. Wait for its end, or cancel it.`,
    );
  await transaction.deleteFrom('pipelines').where('id', '=', row.id).execute();
}
