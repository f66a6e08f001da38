import { jsonText } from '../json-text.js';

/** What SQLite makes of the values of a column (https://www.sqlite.org/datatype3.html, 3.1). */
export type Affinity = 'integer' | 'text' | 'none' | 'real' | 'numeric';

/** The affinity of a column by its declared type. */
export function affinity(type: string): Affinity {
  const declared = type.toUpperCase();
  if (declared.includes('INT')) return 'integer';
  if (/CHAR|CLOB|TEXT/.test(declared)) return 'text';
  if (declared === '' || declared.includes('BLOB')) return 'none';
  return /REAL|FLOA|DOUB/.test(declared) ? 'real' : 'numeric';
}

/** A value as the driver takes it. It binds each number as a float, which a column makes an integer only when it has numbers. */
export function sqliteValue(value: unknown, column: Affinity): unknown {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberFor(value, column);
    case 'boolean':
      return numberFor(value ? 1 : 0, column);
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? value : value.toString();
    case 'object':
      return value === null ? null : objectValue(value);
    default:
      return null;
  }
}

function numberFor(value: number, column: Affinity): unknown {
  if (column === 'text') return String(value);
  return column === 'none' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function objectValue(value: object): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Buffer.isBuffer(value)) return value;
  return value instanceof Uint8Array ? Buffer.from(value) : jsonText(value);
}
