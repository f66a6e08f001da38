import { permanent } from '../../../src/pipeline/permanent.js';
import { NoJson } from '../json-text.js';

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

/** Those that are about the values of a row. */
const ROW_SQLITE: readonly string[] = ['SQLITE_CONSTRAINT', 'SQLITE_MISMATCH', 'SQLITE_TOOBIG'];

/** PostgreSQL's classes about the values of a row: data, constraints, and the check option of a view. */
const ROW_POSTGRES: readonly string[] = ['22', '23', '44'];

/** Codes whose detail is nothing but the whole row: not null, check, and the check option of a view. */
const DETAIL_IS_ROW: readonly string[] = ['23502', '23514', '44000'];

/** Why a database does not take a row. */
export interface RowFault {
  readonly reason: string;
  /** See {@link sqlCode}; undefined where the driver could not even be given the row. */
  readonly code: string | undefined;
}

/**
 * What is wrong with a row that could not be written; undefined for errors of any other kind, which every row would meet: of
 * connections, permissions, missing tables and columns, full disks.
 */
export function rowFault(error: unknown): RowFault | undefined {
  if (error instanceof NoJson) return { reason: error.message, code: undefined };
  const code = sqlCode(error);
  if (code === undefined) return undefined;
  const isFault = code.startsWith('SQLITE_') ? isOf(code, ROW_SQLITE) : isClass(code, ROW_POSTGRES);
  if (!isFault) return undefined;
  const detail = DETAIL_IS_ROW.includes(code) ? undefined : detailOf(error);
  return { reason: [messageOf(error), ...(detail === undefined ? [] : [detail])].join('. '), code };
}

/** An error of a database as one of ours, where a retry would only repeat it; errors of connections and locks as they are. */
export function sqlError(error: unknown, doing: string): unknown {
  const code = sqlCode(error);
  if (code === undefined) return error;
  const repeats = code.startsWith('SQLITE_')
    ? isOf(code, PERMANENT_SQLITE)
    : isClass(code, PERMANENT_POSTGRES);
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

/** What PostgreSQL says beside the message: which key there is already, or what refers to nothing. */
function detailOf(error: unknown): string | undefined {
  const has = typeof error === 'object' && error !== null && 'detail' in error;
  return has && typeof error.detail === 'string' ? error.detail : undefined;
}

/** Whether a result code of SQLite is one of some, or one of their extended ones. */
function isOf(code: string, codes: readonly string[]): boolean {
  return codes.some((one) => code === one || code.startsWith(`${one}_`));
}

/** Whether a SQLSTATE is of one of some classes. */
function isClass(code: string, classes: readonly string[]): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && classes.includes(code.slice(0, 2));
}
