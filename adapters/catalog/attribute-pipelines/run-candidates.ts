import type { Kysely } from 'kysely';
import type { RunCatalog } from '../../../src/attribute-pipeline/run-catalog.js';
import type { ReadValue } from '../../../src/attribute-pipeline/value.js';
import type { CatalogDatabase } from '../database.js';
import { READ_COLUMNS, readValue } from '../eav-rows.js';
import { attributesOf } from '../entities/attributes.js';
import { filtered } from '../entities/filtered-entities.js';
import { isOneOf } from '../in-list.js';
import type { Tables } from '../tables.js';
import { readFlag } from '../values.js';
import { findRun, taskOf, type RunRow } from './run-rows.js';

/** The part of the port that says what there is to do. */
export function runCandidates(
  database: CatalogDatabase,
): Pick<RunCatalog, 'candidates' | 'countCandidates' | 'values'> {
  return {
    candidates: (id, after, limit) =>
      database.read(async (db) => {
        let query = (await selectCandidates(database, db, await findRun(db, id)))
          .select(['entities.id', 'pipeline_changes.seq'])
          .orderBy('entities.id')
          .limit(limit);
        if (after !== null) query = query.where('entities.id', '>', after);
        const rows = await query.execute();
        return rows.map((row) => ({ entityId: row.id, changeSeq: row.seq }));
      }),
    countCandidates: (id) =>
      database.read(async (db) => {
        const run = await findRun(db, id);
        const { count } = await (
          await selectCandidates(database, db, run)
        )
          .select((eb) => eb.fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        return Math.min(count, taskOf(run).maxEntities ?? Infinity);
      }),
    values: async (entityType, entityIds, attributes) => {
      if (entityIds.length === 0 || attributes.length === 0) return new Map();
      const names = await attributeNames(database, entityType, attributes);
      if (names.size === 0) return new Map();
      const rows = await database.read((db) =>
        db
          .selectFrom('eav_versioned')
          .select(READ_COLUMNS)
          .where('attribute_id', 'in', [...names.keys()])
          .where(isOneOf(database, 'eav_versioned.entity_id', entityIds))
          .execute(),
      );
      const values = new Map<string, Map<string, ReadValue>>();
      for (const row of rows) {
        const ofEntity = values.get(row.entity_id) ?? new Map<string, ReadValue>();
        ofEntity.set(names.get(row.attribute_id) ?? '', readValue(row));
        values.set(row.entity_id, ofEntity);
      }
      return values;
    },
  };
}

/** Names of attributes by their ids: looked up once, and not joined to each value. */
async function attributeNames(
  database: CatalogDatabase,
  entityType: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await database.read((db) =>
    db
      .selectFrom('attributes')
      .innerJoin('entity_types', 'entity_types.id', 'attributes.entity_type_id')
      .select(['attributes.id', 'attributes.name'])
      .where('entity_types.name', '=', entityType)
      .where('attributes.name', 'in', names)
      .execute(),
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** What says which entities a run looks at. */
export type CandidatesOf = Pick<
  RunRow,
  | 'entity_type_id'
  | 'entity_type'
  | 'pipeline_id'
  | 'pipeline_version'
  | 'covered_version'
  | 'reads_elsewhere'
  | 'task'
>;

/** The entities that a run looks at, each with what is down for it. */
export async function selectCandidates(
  database: CatalogDatabase,
  db: Kysely<Tables>,
  run: CandidatesOf,
) {
  const task = taskOf(run);
  const all = looksAtAll(run);
  let query = db
    .selectFrom('entities')
    .leftJoin('pipeline_changes', (join) =>
      join
        .onRef('pipeline_changes.entity_id', '=', 'entities.id')
        .on('pipeline_changes.pipeline_id', '=', run.pipeline_id),
    )
    .where('entities.entity_type_id', '=', run.entity_type_id);
  if (!all) query = query.where('pipeline_changes.pipeline_id', '=', run.pipeline_id);
  if (task.filter !== undefined)
    query = query.where(filtered(database, task.filter, await attributesOf(db, run.entity_type)));
  if (task.entityIds !== undefined) query = query.where('entities.id', 'in', task.entityIds);
  if (task.retryOf !== undefined)
    query = query.where('entities.id', 'in', (eb) =>
      eb
        .selectFrom('pipeline_run_failures')
        .select('pipeline_run_failures.entity_id')
        .where('pipeline_run_failures.run_id', '=', task.retryOf ?? ''),
    );
  return query;
}

/** Else only at what was put down for the pipeline: nothing else that it reads can have changed. */
function looksAtAll(run: CandidatesOf): boolean {
  const { force, entityIds, retryOf, changedOnly } = taskOf(run);
  if (changedOnly === true) return false;
  if (force || entityIds !== undefined || retryOf !== undefined) return true;
  return readFlag(run.reads_elsewhere) || run.covered_version < run.pipeline_version;
}
