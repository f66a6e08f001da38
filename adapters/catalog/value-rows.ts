import type { Insertable, Transaction } from 'kysely';
import type { EavHistoryTable, EavVersionedTable } from './attribute-tables.js';
import { insertRows, type BulkInsert } from './bulk-insert.js';
import type { CatalogDatabase } from './database.js';
import type { Tables } from './tables.js';

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
  'updated_at',
] as const satisfies readonly (keyof EavVersionedTable)[];

const KEY = ['entity_id', 'attribute_id'] as const;

const VALUES: BulkInsert<keyof EavVersionedTable> = {
  table: 'eav_versioned',
  columns: [...KEY, 'created_at', ...CHANGING],
  onConflict: { key: KEY, update: CHANGING },
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
    'principal',
    'at',
  ],
};

/** Writes values, whether or not there were any before. */
export async function upsertValues(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  rows: readonly Insertable<EavVersionedTable>[],
): Promise<void> {
  await insertRows(database, transaction, VALUES, rows);
}

/** Adds what has happened to values. */
export async function addHistory(
  database: CatalogDatabase,
  transaction: Transaction<Tables>,
  entries: readonly Insertable<EavHistoryTable>[],
): Promise<void> {
  await insertRows(database, transaction, HISTORY, entries);
}
