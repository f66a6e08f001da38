import type { Context } from 'koa';
import { isPlainObject, type JsonObject } from '../src/definition/json.js';
import { parseEventId, type EventPosition } from '../src/progress/run-event.js';
import { HttpProblem } from './http-problem.js';
import { queryValue } from './request-path.js';

/** Most entries of one page, and how many there are unless the request says. */
export const PAGE = { most: 100, usual: 20 } as const;

/** How many entries a page may have. @throws {@link HttpProblem} 400 */
export function readLimit(ctx: Context): number {
  const asked = queryValue(ctx, 'limit') ?? String(PAGE.usual);
  const limit = /^\d{1,4}$/.test(asked) ? Number(asked) : 0;
  if (limit < 1 || limit > PAGE.most)
    throw invalidParameter('limit', `a number from 1 to ${String(PAGE.most)}`);
  return limit;
}

/** A number that a page before has told. @throws {@link HttpProblem} 400 */
export function readNumber(ctx: Context, name: string, expected: string): number | undefined {
  const asked = queryValue(ctx, name);
  if (asked === undefined) return undefined;
  if (!/^\d{1,15}$/.test(asked)) throw invalidParameter(name, expected);
  return Number(asked);
}

/** A text of a known form that a page before has told, or that names something. @throws {@link HttpProblem} 400 */
export function readText(
  ctx: Context,
  name: string,
  form: RegExp,
  expected: string,
): string | undefined {
  const asked = queryValue(ctx, name);
  if (asked !== undefined && !form.test(asked)) throw invalidParameter(name, expected);
  return asked;
}

/** A JSON object. @throws {@link HttpProblem} 400 */
export function readJsonObject(
  ctx: Context,
  name: string,
  expected: string,
): JsonObject | undefined {
  const asked = queryValue(ctx, name);
  if (asked === undefined) return undefined;
  const value = parsedJson(asked);
  if (!isPlainObject(value)) throw invalidParameter(name, expected);
  // It was JSON.
  return value as JsonObject;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One of some words. @throws {@link HttpProblem} 400 */
export function readOneOf<T extends string>(
  ctx: Context,
  name: string,
  words: readonly T[],
): T | undefined {
  const asked = queryValue(ctx, name);
  const word = words.find((known) => known === asked);
  if (asked !== undefined && word === undefined)
    throw invalidParameter(name, `one of ${words.join(', ')}`);
  return word;
}

/** The event after which a stream goes on: `Last-Event-ID`, or the query parameter `last_event_id`. @throws {@link HttpProblem} 400 */
export function readLastEventId(ctx: Context): EventPosition | undefined {
  const id = ctx.get('Last-Event-ID') || queryValue(ctx, 'last_event_id');
  if (id === undefined || id === '') return undefined;
  const position = parseEventId(id);
  if (position === undefined)
    throw invalidParameter('Last-Event-ID', 'the id of an event that this API sent');
  return position;
}

/** A parameter that is not as it must be. */
export function invalidParameter(name: string, expected: string): HttpProblem {
  return new HttpProblem(400, 'invalid_request', `${name} must be ${expected}.`);
}
