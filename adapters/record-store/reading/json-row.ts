import type { Json, JsonObject } from '../../../src/definition/json.js';
import type { Column, StoredValue } from '../../../src/record-store/column.js';
import type { CutValue } from '../../../src/record-pipeline/store-question.js';
import { STORE_QUESTION_LIMITS } from '../../../src/record-pipeline/store-question.js';
import type { RecordModel } from '../record-model.js';
import { idOf, type Row } from '../row.js';
import type { CutCell } from './read-thread.js';

/** Most characters that are read of a value where a row has so many. */
export function valueCharacters(values: number): number {
  const { valueCharacters: most, rowCharacters } = STORE_QUESTION_LIMITS;
  return Math.min(most, Math.ceil(rowCharacters / Math.max(1, values)));
}

/**
 * A row as JSON, with the id. Dates are ISO 8601, whole numbers of any size are texts, and what is empty is null. A value that
 * was cut is a text in any case.
 *
 * @param isCut - says by its position whether a value was cut
 */
export function jsonRow(
  model: RecordModel,
  row: Row,
  isCut: (position: number) => boolean,
): JsonObject {
  const values = model.columns.map((column, at): readonly [string, Json] => {
    const stored = row[at + 1] ?? null;
    return [column.name, isCut(at + 1) ? String(stored) : jsonValue(column, stored)];
  });
  return { id: idOf(row), ...Object.fromEntries(values) };
}

/** What was cut of some rows, and whose values they are. */
export function cutValues(
  model: RecordModel,
  rows: readonly Row[],
  cut: readonly CutCell[],
): readonly CutValue[] {
  return cut.flatMap(({ row, at, characters }) => {
    const of = rows[row];
    const column = model.columns[at - 1];
    return of === undefined || column === undefined
      ? []
      : [{ id: idOf(of), column: column.name, characters }];
  });
}

function jsonValue({ kind }: Column, stored: StoredValue): Json {
  if (stored === null) return null;
  switch (kind) {
    case 'boolean':
      return stored !== 0;
    case 'json':
      return parsed(String(stored));
    case 'bigint':
      return String(stored);
    default:
      return typeof stored === 'bigint' ? String(stored) : stored;
  }
}

/** Another tool may have written what is no JSON. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
