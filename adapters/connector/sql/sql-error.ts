import { permanent } from '../../../src/pipeline/permanent.js';

/** SQLite's result codes that the same statement on the same data repeats. */
const PERMANENT_SQLITE: readonly string[] = [
  'SQLITE_ERROR',
  'SQLITE_CONSTRAINT',
  'SQLITE_MISMATCH',
  'SQLITE_NOTADB',
  'SQLITE_READONLY',
  'SQLITE_TOOBIG',
  'SQLITE_RANGE',
  'SQLITE_AUTH',
];

/**
 * PostgreSQL's classes that the same statement on the same data repeats: unsupported features, wrong cardinality, data and
 * constraints, credentials, a database that does not exist, and syntax and access.
 */
const PERMANENT_POSTGRES: readonly string[] = ['0A', '21', '22', '23', '28', '3D', '42', '44'];

/** An error of a database as one of ours, where a retry would only repeat it; errors of connections and locks as they are. */
export function sqlError(error: unknown, doing: string): unknown {
  const code = sqlCode(error);
  if (code === undefined) return error;
  const repeats = code.startsWith('SQLITE_')
    ? PERMANENT_SQLITE.some((one) => code === one || code.startsWith(`${one}_`))
    : /^[0-9A-Z]{5}$/.test(code) && PERMANENT_POSTGRES.includes(code.slice(0, 2));
  return repeats ? permanent(`${doing}: ${messageOf(error)}`, { code }, 'SqlError') : error;
}

/**
 * The code that a driver gave an error: SQLite's result code, or PostgreSQL's SQLSTATE. Not every such error is an Error of this
 * realm, since native code makes them.
 */
export function sqlCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function messageOf(error: unknown): string {
  const has = typeof error === 'object' && error !== null && 'message' in error;
  return has && typeof error.message === 'string' ? error.message : String(error);
}
