import type { Insertable, Transaction } from 'kysely';
import type { EavHistoryTable, EavVersionedTable } from './attribute-tables.js';
import { insertRows, type BulkInsert } from './bulk-insert.js';
import type { CatalogDatabase } from './database.js';
import type { Tables } from './tables.js';
import { plainText } from './values.js';

/** A value, but for when it was made and changed. */
export type ValueRow = Omit<Insertable<EavVersionedTable>, 'created_at' | 'updated_at'>;

/** What has happened to a value, but for when, and by whom. */
export type HistoryRow = Omit<Insertable<EavHistoryTable>, 'principal' | 'at'>;

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

const VALUES: BulkInsert<keyof EavVersionedTable> = {
  table: 'eav_versioned',
  columns: [...KEY, ...CHANGING],
  same: ['created_at', 'updated_at'],
  onConflict: { key: KEY, update: [...CHANGING, 'updated_at'] },
};

const HISTORY: BulkInsert<keyof EavHistoryTable> = {
  table: 'eav_history',
  columns: [
    ...KEY,
    'version',
    'change',
    'value',
    'justification',
    'confidence',
    'pipeline_version',
    'inputs',
    'run_id',
  ],
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

/** Adds what has happened to values. */
export async function addHistory(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  entries: readonly HistoryRow[],
  { principal, now }: { readonly principal: string | null; readonly now: Date },
): Promise<void> {
  const by = principal === null ? null : plainText(principal);
  await insertRows(database, transaction, HISTORY, entries, { principal: by, at: now });
}
