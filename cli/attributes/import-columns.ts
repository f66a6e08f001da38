import type { DataType } from '../../src/attribute-pipeline/attribute.js';
import { isNumberText } from '../../src/attribute-pipeline/written-value.js';

/** A row of a CSV file, by the names of its columns. */
export type Row = Readonly<Record<string, string>>;

/** Whole numbers that JavaScript keeps exactly; a text of digits that begins with 0 is a code, not a number. */
const INTEGER = /^-?(0|[1-9]\d{0,14})$/;

/** The types of columns, told by what they hold. */
export function columnTypes(rows: readonly Row[]): ReadonlyMap<string, DataType> {
  const [first] = rows;
  const names = Object.keys(first ?? {});
  return new Map(
    names.map((name) => [
      name,
      typeOf(rows.map((row) => row[name] ?? '').filter((text) => text !== '')),
    ]),
  );
}

function typeOf(texts: readonly string[]): DataType {
  if (texts.length === 0) return 'text';
  if (texts.every((text) => INTEGER.test(text))) return 'integer';
  if (texts.every(isNumberText)) return 'number';
  return texts.every((text) => text === 'true' || text === 'false') ? 'boolean' : 'text';
}
