import type { Selectable } from 'kysely';
import type { AttributeValue, ReadValue } from '../../src/attribute-pipeline/value.js';
import type { Json } from '../../src/definition/json.js';
import type { EavVersionedTable } from './attribute-tables.js';
import type { ValueRow } from './value-rows.js';
import { optionalText, readFlag, readJson, readObject, writeJson } from './values.js';

/** The columns that a value is made of. */
export type EavRow = Omit<Selectable<EavVersionedTable>, 'created_at' | 'updated_at'>;

/** The columns that a {@link ReadValue} is made of, and whose it is. */
export const READ_COLUMNS = [
  'eav_versioned.entity_id',
  'eav_versioned.attribute_id',
  'eav_versioned.value_current',
  'eav_versioned.value_approved',
  'eav_versioned.value_live',
  'eav_versioned.value_override',
  'eav_versioned.input_hash',
  'eav_versioned.version',
] as const;

/** A value as runs read it. */
export function readValue(
  row: Pick<
    EavRow,
    'value_current' | 'value_approved' | 'value_live' | 'value_override' | 'input_hash' | 'version'
  >,
): ReadValue {
  return {
    current: readOptional(row.value_current),
    approved: readOptional(row.value_approved),
    live: readOptional(row.value_live),
    override: readOptional(row.value_override),
    inputHash: row.input_hash,
    version: row.version,
  };
}

/** A value as the ports tell it. NULL is no value, and JSON's null is one. */
export function attributeValue(row: EavRow): AttributeValue {
  return {
    ...readValue(row),
    justification: row.justification,
    confidence: row.confidence,
    pipelineVersion: row.pipeline_version,
    meta: row.meta === null ? null : readObject(row.meta),
    inputs: readVersions(row.inputs),
    runId: row.run_id,
    awaitsApproval: readFlag(row.awaits_approval),
  };
}

/** The columns of a value, but for when it was made and changed. */
export function eavRow(entityId: string, attributeId: string, value: AttributeValue): ValueRow {
  const { justification } = value;
  return {
    entity_id: entityId,
    attribute_id: attributeId,
    value_current: writeOptional(value.current),
    value_approved: writeOptional(value.approved),
    value_live: writeOptional(value.live),
    value_override: writeOptional(value.override),
    input_hash: value.inputHash,
    justification: optionalText(justification),
    confidence: value.confidence,
    pipeline_version: value.pipelineVersion,
    meta: value.meta === null ? null : writeJson(value.meta),
    inputs: value.inputs === null ? null : writeJson(value.inputs),
    run_id: value.runId,
    version: value.version,
    awaits_approval: value.awaitsApproval,
  };
}

function writeOptional(value: Json | undefined): string | null {
  return value === undefined ? null : writeJson(value);
}

function readOptional(text: string | null): Json | undefined {
  return text === null ? undefined : readJson(text);
}

/** Versions of values, by the names of their attributes. */
export function readVersions(text: string | null): Readonly<Record<string, number>> | null {
  // Only versions are written to such columns.
  return text === null ? null : (JSON.parse(text) as Readonly<Record<string, number>>);
}
