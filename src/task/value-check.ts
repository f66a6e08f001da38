import { writtenName } from '../config/written-form.js';
import { InvalidSchema, schemaCheck } from '../contract/schema-validation.js';
import { isPlainObject, type JsonObject } from '../definition/json.js';
import type { ProblemList } from '../pipeline/problem-list.js';

/** Something as it was written: it may be anything. */
export type Written = Readonly<Record<string, unknown>>;

/** Tells of a text that is none. */
export function checkText(
  written: Written,
  key: string,
  what: string,
  problems: ProblemList,
): void {
  if (written[key] !== undefined && typeof written[key] !== 'string')
    problems.add([key], `${what}${writtenName(key)} must be a text.`);
}

/** Tells of a value that is none of a few. */
export function checkOneOf(
  written: Written,
  key: string,
  known: readonly string[],
  what: string,
  problems: ProblemList,
): void {
  const value = written[key];
  if (value === undefined || known.includes(value as string)) return;
  const listed = known.join(', ');
  problems.add([key], `${what}${writtenName(key)} is ${shown(value)}. Write one of: ${listed}.`);
}

/** Tells of what is no JSON Schema. */
export function checkSchema(
  written: Written,
  key: string,
  what: string,
  problems: ProblemList,
): void {
  const schema = written[key];
  if (schema === undefined) return;
  if (!isPlainObject(schema)) {
    problems.add(
      [key],
      `${what}${writtenName(key)} must be JSON Schema: an object such as { type: object }.`,
    );
    return;
  }
  try {
    schemaCheck(schema as JsonObject);
  } catch (error) {
    if (!(error instanceof InvalidSchema)) throw error;
    problems.add([key], `${what}${writtenName(key)} is no JSON Schema: ${error.message}.`);
  }
}

/** Tells of what is no number within its bounds. */
export function checkNumber(
  written: Written,
  key: string,
  [least, most]: readonly [number, number],
  what: string,
  problems: ProblemList,
  whole = true,
): void {
  const value = written[key];
  if (value === undefined) return;
  const fits = typeof value === 'number' && value >= least && value <= most;
  if (fits && (!whole || Number.isInteger(value))) return;
  const form = whole ? 'a whole number' : 'a number';
  problems.add(
    [key],
    `${what}${writtenName(key)} is ${shown(value)}. Write ${form} from ${String(least)} to ${String(most)}.`,
  );
}

/** A value as a message repeats it: also one that JSON does not have. */
function shown(value: unknown): string {
  const text =
    typeof value === 'bigint' ? undefined : (JSON.stringify(value) as string | undefined);
  return typeof value === 'number' || text === undefined ? String(value) : text;
}
