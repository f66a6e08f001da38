import type { Row } from '../../../src/data-flow/row.js';
import { jsonText } from '../json-text.js';

/** Rows as a JSON text of which PostgreSQL makes the types of a table. Bigints within objects and lists become texts. */
export function postgresJson(rows: readonly Row[]): string {
  const text = jsonText(rows.some(isSpecial) ? rows.map(jsonRow) : rows);
  // Half a surrogate pair is no text for PostgreSQL.
  return /\\u[dD][89a-fA-F]/.test(text) ? JSON.stringify(wellFormed(JSON.parse(text))) : text;
}

function isSpecial(row: Row): boolean {
  for (const name in row) {
    const value = row[name];
    if (typeof value === 'bigint' || value instanceof Uint8Array) return true;
    if (typeof value === 'number' && !Number.isFinite(value)) return true;
  }
  return false;
}

function jsonRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, jsonValue(value)]));
}

/** What JSON has no way to carry, as the text that PostgreSQL reads. */
function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
    return value.toString();
  return value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value).toString();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, wellFormed(member)]),
  );
}
