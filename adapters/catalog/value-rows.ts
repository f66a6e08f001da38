import { sql, type Insertable, type Transaction } from 'kysely';
import type { EavHistoryTable, EavVersionedTable } from './attribute-tables.js';
import { insertRows, type BulkInsert } from './bulk-insert.js';
import type { CatalogDatabase } from './database.js';
import { isOneOf } from './in-list.js';
import type { Tables } from './tables.js';
import { selectedTime } from './selected-time.js';
import { optionalText } from './values.js';

/** A value, but for when it was made and changed. */
export type ValueRow = Omit<Insertable<EavVersionedTable>, 'created_at' | 'updated_at'>;

/** What somebody has done to a value, but for when, and who. */
export type HistoryRow = Pick<
  Insertable<EavHistoryTable>,
  'entity_id' | 'attribute_id' | 'version' | 'change' | 'value'
>;

const CHANGING = [
  'value_current',
  'value_approved',
  'value_live',
  'value_override',
  'input_hash',
  'justification',
  'confidence',
  'pipeline_version',
  'meta',
  'inputs',
  'run_id',
  'version',
  'awaits_approval',
] as const satisfies readonly (keyof EavVersionedTable)[];

const KEY = ['entity_id', 'attribute_id'] as const;

/** Values that are there already get what they are to be. */
const UPSERT = {
  table: 'eav_versioned',
  onConflict: { key: KEY, update: [...CHANGING, 'updated_at'] },
} as const satisfies Partial<BulkInsert<keyof EavVersionedTable>>;

const VALUES: BulkInsert<keyof EavVersionedTable> = {
  ...UPSERT,
  columns: [...KEY, ...CHANGING],
  same: ['created_at', 'updated_at'],
};

/** What all values have that a run has computed. */
const COMPUTED_SAME = ['attribute_id', 'pipeline_version', 'run_id'] as const;

type ComputedSame = (typeof COMPUTED_SAME)[number];

const COMPUTED: BulkInsert<keyof EavVersionedTable> = {
  ...UPSERT,
  columns: VALUES.columns.filter((column) => !isOfRun(column)),
  same: [...COMPUTED_SAME, 'created_at', 'updated_at'],
};

function isOfRun(column: string): boolean {
  return COMPUTED_SAME.some((same) => same === column);
}

const PASSED_OVER: BulkInsert<keyof EavVersionedTable> = {
  table: 'eav_versioned',
  columns: ['entity_id', 'input_hash'],
  same: ['attribute_id', 'version', 'awaits_approval', 'created_at', 'updated_at'],
  onConflict: { key: KEY, update: ['input_hash'] },
};

/** Columns of the history, each with that of the value which goes there. */
const COPIED = [
  ['value', 'value_current'],
  ['justification', 'justification'],
  ['confidence', 'confidence'],
  ['pipeline_version', 'pipeline_version'],
  ['inputs', 'inputs'],
  ['run_id', 'run_id'],
] as const;

const HISTORY: BulkInsert<keyof EavHistoryTable> = {
  table: 'eav_history',
  columns: [...KEY, 'version', 'change', 'value'],
  same: ['principal', 'at'],
};

/** Writes values, whether or not there were any before. */
export async function upsertValues(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  rows: readonly ValueRow[],
  now: Date,
): Promise<void> {
  await insertRows(database, transaction, VALUES, rows, { created_at: now, updated_at: now });
}

/** A value that a run has computed, but for what all values of the run have. */
export type ComputedRow = Omit<ValueRow, ComputedSame>;

/** The run that has computed values, and who has asked for it. */
export interface ComputedBy extends Required<Pick<ValueRow, ComputedSame>> {
  readonly principal: string | null;
  readonly now: Date;
}

/** Writes values that a run has computed, whether or not there were any before. */
export async function upsertComputed(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  rows: readonly ComputedRow[],
  { attribute_id, pipeline_version, run_id, now }: ComputedBy,
): Promise<void> {
  const same = { attribute_id, pipeline_version, run_id, created_at: now, updated_at: now };
  await insertRows(database, transaction, COMPUTED, rows, same);
}

/** A value that a module has left alone, and what it would have been computed from. */
export type PassedOver = Required<Pick<ValueRow, 'entity_id' | 'input_hash'>>;

/** Notes for what modules have left values alone. Where there was none, there is a row without a value, of version 0, from then on. */
export async function notePassedOver(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  rows: readonly PassedOver[],
  { attribute_id, now }: Pick<ComputedBy, 'attribute_id' | 'now'>,
): Promise<void> {
  const none = { version: 0, awaits_approval: false };
  const same = { attribute_id, ...none, created_at: now, updated_at: now };
  await insertRows(database, transaction, PASSED_OVER, rows, same);
}

/** Adds values to the history that {@link upsertComputed} has just written: they are in the database already. */
export async function addComputedHistory(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  entityIds: readonly string[],
  { attribute_id, principal, now }: ComputedBy,
): Promise<void> {
  if (entityIds.length === 0) return;
  const by = optionalText(principal);
  await transaction
    .insertInto('eav_history')
    .columns([...KEY, 'version', 'change', ...COPIED.map(([to]) => to), 'principal', 'at'])
    .expression((eb) =>
      eb
        .selectFrom('eav_versioned')
        .select([...KEY, 'version', sql.lit('computed').as('change')])
        .select(COPIED.map(([, from]) => from))
        .select([
          sql<string | null>`cast(${by} as text)`.as('by'),
          selectedTime(database, now).as('at'),
        ])
        .where('attribute_id', '=', attribute_id)
        .where(isOneOf(database, 'eav_versioned.entity_id', entityIds)),
    )
    .execute();
}

/** Adds what somebody has done to values. */
export async function addHistory(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  entries: readonly HistoryRow[],
  { principal, now }: { readonly principal: string | null; readonly now: Date },
): Promise<void> {
  const by = optionalText(principal);
  await insertRows(database, transaction, HISTORY, entries, { principal: by, at: now });
}
