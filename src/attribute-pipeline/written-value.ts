import type { Json } from '../definition/json.js';
import type { DataType } from './attribute.js';

/** A number that JavaScript keeps exactly; a text of digits that begins with 0 is a code, not a number. */
const NUMBER = /^-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d{1,2})?$/;

/** True for a text that is a number. */
export function isNumberText(text: string): boolean {
  return NUMBER.test(text);
}

/** A text as the value of an attribute; what is none stays a text, which the catalog refuses with a reason. */
export function valueOfText(text: string, dataType: DataType): Json {
  switch (dataType) {
    case 'integer':
    case 'number':
      return isNumberText(text) ? Number(text) : text;
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
