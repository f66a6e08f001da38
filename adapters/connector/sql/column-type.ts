import type { Row } from '../../../src/data-flow/row.js';
import { isPlainObject } from '../../../src/definition/json.js';

/** What the values of a column are. */
export type ColumnKind = 'integer' | 'real' | 'boolean' | 'text' | 'timestamp' | 'json' | 'bytes';

/** Types of PostgreSQL; integers have 64 bits there as in SQLite. */
export const POSTGRES_TYPES: Readonly<Record<ColumnKind, string>> = {
  integer: 'bigint',
  real: 'double precision',
  boolean: 'boolean',
  text: 'text',
  timestamp: 'timestamptz',
  json: 'jsonb',
  bytes: 'bytea',
};

/** Types of SQLite. Their names decide the affinity, and tell a reader what is meant. */
export const SQLITE_TYPES: Readonly<Record<ColumnKind, string>> = {
  integer: 'INTEGER',
  real: 'REAL',
  boolean: 'BOOLEAN',
  text: 'TEXT',
  timestamp: 'TEXT',
  json: 'TEXT',
  bytes: 'BLOB',
};

/**
 * The kind that fits all values of a column; text where there are none, and where they are of several kinds. Whole numbers are
 * taken for real ones, of which others may follow, unless they are a key or bigints.
 */
export function columnKind(rows: readonly Row[], column: string, isKey: boolean): ColumnKind {
  const kinds = new Set<ColumnKind>();
  for (const row of rows) {
    const kind = kindOf(row[column], isKey);
    if (kind !== undefined) kinds.add(kind);
  }
  if (kinds.size === 2 && kinds.has('integer') && kinds.has('real')) return 'real';
  const [only] = kinds;
  return kinds.size === 1 && only !== undefined ? only : 'text';
}

function kindOf(value: unknown, isKey: boolean): ColumnKind | undefined {
  switch (typeof value) {
    case 'number':
      return isKey && Number.isSafeInteger(value) ? 'integer' : 'real';
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? 'integer' : 'text';
    case 'boolean':
      return 'boolean';
    case 'object':
      if (value === null) return undefined;
      if (value instanceof Date) return 'timestamp';
      if (value instanceof Uint8Array) return 'bytes';
      return Array.isArray(value) || isPlainObject(value) ? 'json' : 'text';
    case 'undefined':
      return undefined;
    default:
      return 'text';
  }
}
