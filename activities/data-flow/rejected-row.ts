import { FLOW_LIMITS } from '../../src/data-flow/limits.js';
import type { Row } from '../../src/data-flow/row.js';
import type { Json } from '../../src/definition/json.js';

/** A row as it is kept when it is rejected: what JSON can carry of it, up to a limit. */
export function rejectedRow(row: Row): Json {
  const text = textOf(row);
  if (text.length <= FLOW_LIMITS.rejectedRowBytes) return JSON.parse(text) as Json;
  return { truncated: text.slice(0, FLOW_LIMITS.rejectedRowBytes) };
}

function textOf(row: Row): string {
  try {
    return JSON.stringify(row, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  } catch (error) {
    // A row that refers to itself, for instance.
    return JSON.stringify({ unreadable: error instanceof Error ? error.message : String(error) });
  }
}
