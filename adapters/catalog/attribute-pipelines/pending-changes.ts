import { sql, type Transaction } from 'kysely';
import type { Candidate } from '../../../src/attribute-pipeline/run-catalog.js';
import type { CatalogDatabase } from '../database.js';
import { isOneOf } from '../in-list.js';
import type { Tables } from '../tables.js';
import { selectedTime } from '../selected-time.js';
import { optionalText } from '../values.js';

/** Most entities of one statement: both databases bound its parameters. */
const AT_ONCE = 500;

/** Parts of a list, each short enough for one statement. */
export function* inParts<T>(items: readonly T[], most = AT_ONCE): Iterable<readonly T[]> {
  for (let at = 0; at < items.length; at += most) yield items.slice(at, at + most);
}

/** Who has changed something, and when. */
export interface ChangedBy {
  /** Null for a run of nobody. */
  readonly principal: string | null;
  readonly now: Date;
}

/** Puts entities down for all pipelines that read an attribute of theirs, which has changed. */
export async function notePipelines(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  attributeId: string,
  entityIds: readonly string[],
  { principal, now }: ChangedBy,
): Promise<void> {
  if (entityIds.length === 0) return;
  const by = optionalText(principal);
  await transaction
    .insertInto('pipeline_changes')
    .columns(['pipeline_id', 'entity_id', 'cause', 'attribute_id', 'principal', 'at'])
    .expression((eb) =>
      eb
        .selectFrom('pipeline_inputs')
        .innerJoin('entities', (join) => join.on(isOneOf(database, 'entities.id', entityIds)))
        .where('pipeline_inputs.attribute_id', '=', attributeId)
        .select([
          'pipeline_inputs.pipeline_id',
          'entities.id',
          sql.lit('input').as('cause'),
          'pipeline_inputs.attribute_id',
          sql<string | null>`cast(${by} as text)`.as('principal'),
          selectedTime(database, now).as('at'),
        ])
        // In one order, so that two who note the same do not wait for each other in a circle.
        .orderBy('entities.id')
        .orderBy('pipeline_inputs.pipeline_id'),
    )
    .onConflict((conflict) =>
      conflict.columns(['pipeline_id', 'entity_id']).doUpdateSet((eb) => ({
        seq: eb('pipeline_changes.seq', '+', 1),
        cause: eb.ref('excluded.cause'),
        attribute_id: eb.ref('excluded.attribute_id'),
        principal: eb.ref('excluded.principal'),
        at: eb.ref('excluded.at'),
      })),
    )
    .execute();
}

/** Forgets the changes that a run has looked at; those that have come meanwhile stay. */
export async function forgetChanges(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  pipelineId: string,
  looked: readonly Candidate[],
): Promise<void> {
  const bySeq = new Map<number, string[]>();
  for (const { entityId, changeSeq } of looked)
    if (changeSeq !== null) bySeq.set(changeSeq, [...(bySeq.get(changeSeq) ?? []), entityId]);
  for (const [seq, entityIds] of bySeq)
    await transaction
      .deleteFrom('pipeline_changes')
      .where('pipeline_id', '=', pipelineId)
      .where(isOneOf(database, 'pipeline_changes.entity_id', entityIds))
      .where('seq', '=', seq)
      .execute();
}

/** Keeps entities down for a pipeline that has come to nothing with them. */
export async function keepChanges(
  transaction: Transaction<Tables>,
  pipelineId: string,
  entityIds: readonly string[],
  now: Date,
): Promise<void> {
  for (const ids of inParts(entityIds))
    await transaction
      .insertInto('pipeline_changes')
      .values(
        ids.map((entity_id) => ({
          pipeline_id: pipelineId,
          entity_id,
          cause: 'request' as const,
          at: now,
        })),
      )
      .onConflict((conflict) => conflict.columns(['pipeline_id', 'entity_id']).doNothing())
      .execute();
}
