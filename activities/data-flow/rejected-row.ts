import { FLOW_LIMITS } from '../../src/data-flow/limits.js';
import type { Rejection } from '../../src/data-flow/row.js';
import type { Json } from '../../src/definition/json.js';

/** A rejection as it is kept: what JSON can carry of the row, and both row and reason up to a limit. */
export function rejection({
  reason,
  row,
  ...rest
}: Omit<Rejection, 'row'> & { readonly row: unknown }): Rejection {
  return { ...rest, reason: clipped(reason), row: rejectedRow(row) };
}

function clipped(reason: string): string {
  const most = FLOW_LIMITS.rejectionReasonCharacters;
  return reason.length <= most ? reason : `${reason.slice(0, most)}…`;
}

function rejectedRow(row: unknown): Json {
  const text = textOf(row);
  if (text.length <= FLOW_LIMITS.rejectedRowBytes) return JSON.parse(text) as Json;
  // Of a text itself, and not of the JSON that quotes it.
  const whole = typeof row === 'string' ? row : text;
  return { truncated: whole.slice(0, FLOW_LIMITS.rejectedRowBytes) };
}

function textOf(row: unknown): string {
  try {
    const text: unknown = JSON.stringify(row, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    // What JSON has no word for, such as undefined.
    return typeof text === 'string' ? text : 'null';
  } catch (error) {
    // A row that refers to itself, for instance.
    return JSON.stringify({ unreadable: error instanceof Error ? error.message : String(error) });
  }
}
