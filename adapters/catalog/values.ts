import type { Json, JsonObject } from '../../src/definition/json.js';

/*
 * How values are kept. Queries are the same for both databases and take booleans and dates as they are; what differs is here:
 *
 *            SQLite                        PostgreSQL
 * times      text, ISO 8601 in UTC         timestamptz(3)
 * booleans   0, 1                          boolean
 * JSON       text                          json, which keeps the text
 *
 * Times are text in SQLite so that people can read them there; with a fixed number of digits they sort as the times do.
 * JSON is `json` and not `jsonb` in PostgreSQL: a row that was rejected for its NUL character or half a surrogate pair could not
 * be kept as `jsonb`, and members would change their order.
 */

/** A parameter as better-sqlite3 takes it. */
export function sqliteParameter(value: unknown): unknown {
  switch (typeof value) {
    case 'boolean':
      return Number(value);
    case 'object':
      return value instanceof Date ? value.toISOString() : value;
    default:
      // Most are texts and numbers.
      return value;
  }
}

/** A time as either database gives it. */
export function readTime(value: Date | string): Date {
  return new Date(value);
}

/** A time that may be missing. */
export function readOptionalTime(value: Date | string | null): Date | null {
  return value === null ? null : readTime(value);
}

/** A boolean as either database gives it. */
export function readFlag(value: boolean | number): boolean {
  return value === true || value === 1;
}

/** JSON as text, which both databases give exactly as it was. */
export function writeJson(value: Json): string {
  return JSON.stringify(value);
}

/** What {@link writeJson} has written. */
export function readJson(text: string): Json {
  // Only JSON is written to such columns.
  return JSON.parse(text) as Json;
}

/** What {@link writeJson} has written of an object. */
export function readObject(text: string): JsonObject {
  // The columns that are read by this are only written with objects.
  return JSON.parse(text) as JsonObject;
}

/** JSON in a column where null stands for JSON's null. */
export function writeNullable(value: Json): string | null {
  return value === null ? null : writeJson(value);
}

/** What {@link writeNullable} has written. */
export function readNullable(text: string | null): Json {
  return text === null ? null : readJson(text);
}

/** Text of unknown origin, such as an error's message. PostgreSQL cannot keep NUL characters; both databases answer alike. */
export function plainText(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** {@link plainText}, where there is any. */
export function optionalText(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : plainText(text);
}
