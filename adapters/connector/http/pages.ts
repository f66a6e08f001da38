import { z } from 'zod';
import { isPlainObject, ownMember, type Json } from '../../../src/definition/json.js';
import type { Row } from '../../../src/data-flow/row.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import type { HttpAnswer } from '../../http/request.js';

/** How an API is asked for one page after the other. */
export const Pagination = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('page'),
    parameter: z.string().min(1).default('page').describe('The query parameter of the number.'),
    start: z.int().min(0).default(1).describe('Number of the first page.'),
    sizeParameter: z.string().min(1).optional().describe('The query parameter of the size.'),
    size: z
      .int()
      .min(1)
      .optional()
      .describe('Rows of a full page. A smaller one is the last; otherwise an empty one is.'),
  }),
  z.strictObject({
    type: z.literal('cursor'),
    parameter: z.string().min(1).describe('The query parameter of the cursor.'),
    next: z.string().min(1).describe('Path of the next cursor in the body: `meta.next`.'),
  }),
  // RFC 8288: `Link: <…>; rel="next"`.
  z.strictObject({ type: z.literal('link') }),
]);

/** See {@link Pagination}. */
export type Pagination = z.output<typeof Pagination>;

/** What leads to a page: its number, its cursor or its URL; null for the first one. */
export type PageKey = string | number | null;

/** The URL of a page. */
export function pageUrl(base: string, pagination: Pagination, page: PageKey): URL {
  const url = new URL(base);
  switch (pagination.type) {
    case 'none':
      return url;
    case 'page':
      url.searchParams.set(pagination.parameter, String(page ?? pagination.start));
      if (pagination.sizeParameter !== undefined && pagination.size !== undefined)
        url.searchParams.set(pagination.sizeParameter, String(pagination.size));
      return url;
    case 'cursor':
      if (page !== null) url.searchParams.set(pagination.parameter, String(page));
      return url;
    case 'link':
      return page === null ? url : new URL(String(page));
  }
}

/** What leads to the page after another; null when it is the last one. */
export function nextPage(
  pagination: Pagination,
  page: PageKey,
  answer: Pick<HttpAnswer, 'url' | 'headers'>,
  body: { readonly value: unknown; readonly rows: number },
): PageKey {
  switch (pagination.type) {
    case 'none':
      return null;
    case 'page': {
      const isLast = body.rows === 0 || body.rows < (pagination.size ?? 0);
      return isLast ? null : Number(page ?? pagination.start) + 1;
    }
    case 'cursor': {
      const next = at(body.value, pagination.next);
      if (next === undefined || next === null || next === '' || next === false) return null;
      if (typeof next === 'string' || typeof next === 'number') return next;
      throw invalidResponse(answer.url, `${pagination.next} is neither a text nor a number.`);
    }
    case 'link': {
      const target = nextLink(answer.headers.get('link') ?? '');
      if (target === undefined) return null;
      // The error of the constructor has the link, whose query may hold keys.
      if (!URL.canParse(target, answer.url.href))
        throw invalidResponse(answer.url, 'Its next link is no URL.');
      return new URL(target, answer.url).href;
    }
  }
}

/** The target of the link with `rel=next`. A target may hold commas and semicolons; it is in angle brackets. */
function nextLink(header: string): string | undefined {
  for (const [, target, parameters] of header.matchAll(/<([^>]*)>((?:[^,"<]|"[^"]*")*)/g)) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters ?? '');
    const relations = (rel?.[1] ?? rel?.[2] ?? '').toLowerCase().split(/\s+/);
    if (relations.includes('next')) return target;
  }
  return undefined;
}

/** A body and the rows in it. */
export function parsedBody(
  answer: Pick<HttpAnswer, 'url' | 'text'>,
  path: string | undefined,
): { readonly value: unknown; readonly rows: readonly Row[] } {
  if (answer.text.trim() === '') return { value: undefined, rows: [] };
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch {
    throw invalidResponse(answer.url, `It is not JSON: ${answer.text.slice(0, 200)}`);
  }
  const rows: unknown = path === undefined ? onlyArray(value) : at(value, path);
  if (!Array.isArray(rows)) {
    const where =
      path === undefined
        ? 'It is no array and has not exactly one: set `rows` to the path of the rows.'
        : `There is no array at ${path}.`;
    throw invalidResponse(answer.url, where);
  }
  return { value, rows: rows.map((row, index) => rowAt(row, index, answer.url)) };
}

function rowAt(row: unknown, index: number, url: URL): Row {
  if (isPlainObject(row)) return row;
  throw permanent(
    `${url.origin}${url.pathname}: row ${String(index + 1)} of the page is not an object.`,
    { row: index + 1 },
    'InvalidRow',
  );
}

function onlyArray(value: unknown): unknown {
  if (!isPlainObject(value)) return value;
  const arrays = Object.values(value).filter((member) => Array.isArray(member));
  return arrays.length === 1 ? arrays[0] : undefined;
}

function at(value: unknown, path: string): unknown {
  let here = value;
  for (const name of path.split('.')) {
    if (!isPlainObject(here)) return undefined;
    here = ownMember(here, name);
  }
  return here;
}

function invalidResponse(url: URL, reason: string): Error {
  const details: Json = { url: `${url.origin}${url.pathname}` };
  return permanent(
    `The answer of ${url.origin}${url.pathname} cannot be read. ${reason}`,
    details,
    'InvalidResponse',
  );
}
