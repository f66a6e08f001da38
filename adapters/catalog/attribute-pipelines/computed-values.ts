import type { Transaction } from 'kysely';
import type { EntityOutcome, RunBatch } from '../../../src/attribute-pipeline/run-catalog.js';
import { changedValue, NO_VALUE } from '../../../src/attribute-pipeline/value.js';
import type { CatalogDatabase } from '../database.js';
import { attributeValue, eavRow } from '../eav-rows.js';
import { isOneOf } from '../in-list.js';
import type { Tables } from '../tables.js';
import {
  addComputedHistory,
  notePassedOver,
  upsertComputed,
  type ComputedRow,
  type PassedOver,
} from '../value-rows.js';
import { notePipelines } from './pending-changes.js';
import type { RunRow } from './run-rows.js';

/** An entity whose value was computed, or passed over. */
export type ComputedEntity = LookedAt & {
  readonly outcome: Extract<EntityOutcome, { readonly kind: 'computed' | 'skipped' }>;
};

type LookedAt = RunBatch['outcomes'][number];

/** True for entities of which there is something to write down. */
export function isComputed(entity: LookedAt): entity is ComputedEntity {
  return entity.outcome.kind === 'computed' || entity.outcome.kind === 'skipped';
}

/**
 * Writes values that a run has computed, with their history, and puts down what depends on those that are others now. Of what was
 * passed over it writes down for what.
 */
export async function writeComputed(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  run: RunRow,
  computed: readonly ComputedEntity[],
  now: Date,
): Promise<void> {
  if (computed.length === 0) return;
  const before = await valuesBefore(database, transaction, run.attribute_id, computed);
  const attribute = { needsApproval: run.needs_approval };
  const rows: ComputedRow[] = [];
  const changed: string[] = [];
  const passedOver: PassedOver[] = [];
  for (const { entityId, outcome } of computed) {
    const known = before.get(entityId) ?? NO_VALUE;
    if (outcome.kind === 'skipped') {
      const { inputHash = known.inputHash } = outcome;
      if (inputHash !== known.inputHash)
        passedOver.push({ entity_id: entityId, input_hash: inputHash });
      continue;
    }
    const found = { ...outcome.result, pipelineVersion: run.pipeline_version, runId: run.id };
    const value = changedValue(known, attribute, { kind: 'computed', result: found });
    if (value === known) continue;
    rows.push(eavRow(entityId, run.attribute_id, value));
    if (value.version !== known.version) changed.push(entityId);
  }
  const { attribute_id, pipeline_version, principal } = run;
  const by = { attribute_id, pipeline_version, run_id: run.id, principal, now };
  await upsertComputed(database, transaction, rows, by);
  await notePassedOver(database, transaction, passedOver, by);
  await addComputedHistory(database, transaction, changed, by);
  await notePipelines(database, transaction, run.attribute_id, changed, by);
}

/** Locked, so that what a person does to a value at the same time comes before or after. */
async function valuesBefore(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  attributeId: string,
  entities: readonly ComputedEntity[],
) {
  const ids = entities.map(({ entityId }) => entityId);
  const rows = await transaction
    .selectFrom('eav_versioned')
    .selectAll()
    .where('attribute_id', '=', attributeId)
    .where(isOneOf(database, 'eav_versioned.entity_id', ids))
    .orderBy('entity_id')
    .$if(database.locksRows, (query) => query.forUpdate())
    .execute();
  return new Map(rows.map((row) => [row.entity_id, attributeValue(row)]));
}
