import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  defineSource,
  type SourceBatch,
  type SourceContext,
} from '../../../src/data-flow/source.js';
import { permanent, type PermanentError } from '../../../src/pipeline/permanent.js';
import { nextPage, pageUrl, Pagination, parsedBody, type PageKey } from './pages.js';
import {
  headers,
  maxResponseBytes,
  send,
  timeoutMs,
  url,
  type HttpAnswer,
} from '../../http/request.js';

const HttpSourceOptions = z.strictObject({
  url,
  method: z.enum(['GET', 'POST']).default('GET').describe('POST is sent without a body.'),
  headers,
  allowedOrigins: z
    .array(z.url())
    .default([])
    .describe('Other origins that get the headers when a link or a redirect leads there.'),
  pagination: Pagination.default({ type: 'none' }).describe('How one page leads to the next.'),
  rows: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Path of the rows in the body: `data.items`. Otherwise the body itself, or its only array.',
    ),
  timeoutMs,
  maxResponseBytes,
  maxPages: z.int().min(1).default(10_000).describe('Most pages of one run. More are an error.'),
  conditional: z
    .boolean()
    .default(true)
    .describe(
      'Asks for the first page with the ETag that it had in the last run (`If-None-Match`): 304 means that nothing is new.',
    ),
});

type HttpSourceOptions = z.output<typeof HttpSourceOptions>;

const HttpCursor = z.object({
  /** The page that is read next, or goes on. */
  next: z.union([z.string(), z.number(), z.null()]),
  /** Rows of it that were given. */
  skip: z.int().min(0),
  /** Pages before it. */
  pages: z.int().min(0),
  /** Hash of the page before it. */
  before: z.string().nullable(),
  /** Of the first page. */
  etag: z.string().nullable(),
  /** All pages were read: the next run begins at the first one. */
  done: z.boolean(),
  /** How often all pages were read. Without it, an API that has not changed would end where it began. */
  round: z.int().min(0).default(0),
});

type HttpCursor = z.output<typeof HttpCursor>;

const FIRST: HttpCursor = {
  ...{ next: null, skip: 0, pages: 0, before: null, etag: null },
  ...{ done: false, round: 0 },
};

/**
 * Reads the rows of an HTTP API page by page. A run that was interrupted goes on at its page; the next run after one that has
 * read all begins at the first page again.
 *
 * Ends with {@link HttpRequestFailed} for what may succeed later, and with permanent errors: `HttpRequestRefused`,
 * `ResponseTooLarge`, `InvalidResponse`, `InvalidRow`, `EndlessPagination`, `PageLimitExceeded`.
 */
export const httpSource = defineSource({
  name: 'http',
  description: 'Reads the rows of an HTTP API page by page.',
  options: HttpSourceOptions,
  read: (context) => pages(context),
});

async function* pages(context: SourceContext<HttpSourceOptions>): AsyncGenerator<SourceBatch> {
  const { options, batchSize, signal } = context;
  const known = cursorOf(context);
  let place: HttpCursor = known.done ? { ...FIRST, etag: known.etag, round: known.round } : known;
  const seen = new Set<PageKey>();
  for (;;) {
    signal.throwIfAborted();
    if (place.pages >= options.maxPages) throw tooManyPages(options);
    const answer = await page(options, place, signal);
    if (answer.status === 304) return;
    const { value, rows } = parsedBody(answer, options.rows);
    const hash = createHash('sha256').update(answer.text).digest('hex');
    if (rows.length > 0 && hash === place.before) throw endless(options, 'the same page again');
    const next = nextPage(options.pagination, place.next, answer, { value, rows: rows.length });
    seen.add(place.next);
    if (next !== null && seen.has(next)) throw endless(options, 'to one that was read before');
    const etag = place.next === null ? answer.headers.get('etag') : place.etag;
    const following: HttpCursor =
      next === null
        ? { ...FIRST, etag, done: true, round: place.round + 1 }
        : { ...place, next, skip: 0, pages: place.pages + 1, before: hash, etag };
    for (let from = place.skip; from < rows.length; from += batchSize) {
      signal.throwIfAborted();
      const to = from + batchSize;
      const cursor = to < rows.length ? { ...place, etag, skip: to } : following;
      yield { rows: rows.slice(from, to), cursor };
    }
    // Without rows there was no batch: one that only keeps the place.
    if (rows.length <= place.skip) yield { rows: [], cursor: following };
    if (next === null) return;
    place = following;
  }
}

async function page(
  options: HttpSourceOptions,
  { next, skip, etag }: HttpCursor,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const own = new URL(options.url).origin;
  const allowed = new Set([own, ...options.allowedOrigins.map((one) => new URL(one).origin)]);
  // A first page that goes on in its middle is wanted whether it has changed or not.
  const condition = options.conditional && next === null && skip === 0 ? etag : null;
  return send({
    url: pageUrl(options.url, options.pagination, next),
    method: options.method,
    headers: {
      accept: 'application/json',
      ...options.headers,
      ...(condition !== null && { 'if-none-match': condition }),
    },
    timeoutMs: options.timeoutMs,
    maxResponseBytes: options.maxResponseBytes,
    signal,
    mayHaveHeaders: ({ origin }) => allowed.has(origin),
  });
}

function cursorOf({ cursor }: SourceContext<HttpSourceOptions>): HttpCursor {
  if (cursor === undefined || cursor === null) return FIRST;
  const parsed = HttpCursor.safeParse(cursor);
  if (parsed.success) return parsed.data;
  throw permanent('The cursor is not one of an API. Reset the flow.', cursor, 'InvalidCursor');
}

function endless({ url: at }: HttpSourceOptions, where: string): PermanentError {
  const { origin, pathname } = new URL(at);
  return permanent(
    `The pages of ${origin}${pathname} do not end: one leads ${where}. Check \`pagination\`.`,
    { url: `${origin}${pathname}` },
    'EndlessPagination',
  );
}

function tooManyPages({ url: at, maxPages }: HttpSourceOptions): PermanentError {
  const { origin, pathname } = new URL(at);
  return permanent(
    `${origin}${pathname} has more pages than maxPages (${String(maxPages)}).`,
    { url: `${origin}${pathname}`, maxPages },
    'PageLimitExceeded',
  );
}
