import type { DataType } from '../../src/attribute-pipeline/attribute.js';
import type { Json } from '../../src/definition/json.js';

/** A row of a CSV file, by the names of its columns. */
export type Row = Readonly<Record<string, string>>;

/** Whole numbers that JavaScript keeps exactly; a text of digits that begins with 0 is a code, not a number. */
const INTEGER = /^-?(0|[1-9]\d{0,14})$/;
const NUMBER = /^-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d{1,2})?$/;

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
  if (texts.every((text) => NUMBER.test(text))) return 'number';
  return texts.every((text) => text === 'true' || text === 'false') ? 'boolean' : 'text';
}

/** A field as the value of an attribute; what is none stays a text, which the catalog refuses with a reason. */
export function valueOf(text: string, dataType: DataType): Json {
  switch (dataType) {
    case 'integer':
    case 'number':
      return NUMBER.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'json':
    case 'multiselect':
    case 'belongs_to_multi':
      return parsed(text);
    default:
      return text;
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
