import coBody from 'co-body';
import type { Context } from 'koa';
import { isPlainObject, type JsonObject } from '../../src/definition/json.js';
import { HttpProblem } from '../http-problem.js';

/** Deepest nesting of arrays and objects in a body. */
export const MAX_BODY_DEPTH = 200;

/** Most fields of a form. */
export const MAX_FORM_FIELDS = 1_000;

const JSON_TYPES = ['application/json', 'application/*+json'];
const FORM_TYPE = 'application/x-www-form-urlencoded';

/** How much of a body that is too large is taken in and thrown away, so that its sender gets to read the answer. */
const DISCARD = { bytes: 16 * 1024 * 1024, ms: 5_000 } as const;

/**
 * A run's input from a request's body: a JSON object, also without a Content-Type, or a form. No body is `{}`.
 *
 * @param limit - most bytes of the body, after decompression
 * @throws {@link HttpProblem} 400 (malformed), 413 (too large) and 415 (neither JSON nor a form)
 */
export async function readInput(ctx: Context, limit: number): Promise<JsonObject> {
  const parsed = await parseBody(ctx, limit);
  if (parsed === '' || parsed === undefined) return {};
  if (!isPlainObject(parsed)) {
    const got =
      parsed === null ? 'null' : Array.isArray(parsed) ? 'an array' : `a ${typeof parsed}`;
    throw malformed(`The body must be a JSON object, such as {"text":"…"}; it is ${got}.`);
  }
  if (isDeeperThan(parsed, MAX_BODY_DEPTH)) {
    throw malformed(
      `The body is nested deeper than ${String(MAX_BODY_DEPTH)} levels (maxBodyDepth).`,
    );
  }
  // It was just parsed from JSON or from a form's texts.
  return parsed as JsonObject;
}

async function parseBody(ctx: Context, limit: number): Promise<unknown> {
  const kind = bodyKind(ctx);
  try {
    if (kind === 'none') return undefined;
    // The types of co-body know neither of these options of qs.
    const queryString = {
      depth: 20,
      strictDepth: true,
      parameterLimit: MAX_FORM_FIELDS,
      throwOnLimitExceeded: true,
      plainObjects: true,
      allowDots: false,
    };
    return kind === 'json'
      ? await json(ctx, limit)
      : formInput(await form(ctx, limit, queryString));
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    throw await refusal(ctx, error, limit);
  }
}

async function json(ctx: Context, limit: number): Promise<unknown> {
  // A member called __proto__ is refused by the input's check, which says where it is. The types lack the option.
  const options = { limit, strict: false, onProtoPoisoning: 'ignore' };
  return (await coBody.json(ctx, options)) as unknown;
}

async function form(ctx: Context, limit: number, queryString: object): Promise<unknown> {
  return (await coBody.form(ctx, { limit, queryString })) as unknown;
}

function formInput(fields: unknown): unknown {
  const [first] = isPlainObject(fields) ? Object.keys(fields) : [];
  if (first?.trimStart().startsWith('{') === true) {
    throw malformed(
      'The body looks like JSON, but was sent as a form. Add the header Content-Type: application/json.',
    );
  }
  return fields;
}

function bodyKind(ctx: Context): 'none' | 'json' | 'form' {
  const { headers } = ctx.req;
  // RFC 9112: a request has a body when one of these headers says so.
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0)
    return 'none';
  const type = headers['content-type'];
  if (type === undefined || type === '') return 'json';
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase();
  const known = charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset);
  if (known && ctx.is(JSON_TYPES) !== false) return 'json';
  if (known && ctx.is(FORM_TYPE) !== false) return 'form';
  const accepted = `${JSON_TYPES.join(', ')} or ${FORM_TYPE}, in UTF-8`;
  throw new HttpProblem(
    415,
    'unsupported_media_type',
    `The body's Content-Type is not supported. Send ${accepted}.`,
    {
      headers: { Accept: `${JSON_TYPES.join(', ')}, ${FORM_TYPE}` },
    },
  );
}

async function refusal(ctx: Context, error: unknown, limit: number): Promise<HttpProblem> {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  if (status === 413) {
    await discard(ctx);
    // What is left of the body would be read as the next request.
    const message = `The body is larger than ${String(limit)} bytes (server.bodyLimit).`;
    return new HttpProblem(413, 'payload_too_large', message, { headers: { Connection: 'close' } });
  }
  if (status === 415) {
    const message =
      'The body has a Content-Encoding that is not supported. Send it as it is, or with gzip, deflate or br.';
    return new HttpProblem(415, 'unsupported_media_type', message);
  }
  return malformed(
    error instanceof SyntaxError
      ? `The body is not valid JSON: ${error.message}`
      : bodyReason(error),
  );
}

function bodyReason(error: unknown): string {
  if (error instanceof RangeError) return `The form cannot be read: ${error.message}`;
  return 'The body cannot be read: it is not what its headers say, or it ended early.';
}

/** Reads on and forgets, for a while: a sender that is cut off in the middle would see a broken connection, no answer. */
async function discard({ req }: Context): Promise<void> {
  if (req.readableEnded || req.destroyed) return;
  await new Promise<void>((resolve) => {
    let left: number = DISCARD.bytes;
    const timer = setTimeout(done, DISCARD.ms);
    function done(): void {
      clearTimeout(timer);
      resolve();
    }
    req.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left <= 0) done();
    });
    for (const event of ['end', 'close', 'error']) req.once(event, done);
    req.resume();
  });
}

function malformed(message: string): HttpProblem {
  return new HttpProblem(400, 'invalid_request', message);
}

/** Looks level by level, since a recursive look would overflow where this is meant to say no. */
function isDeeperThan(value: object, most: number): boolean {
  let level: readonly object[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= most) return true;
    level = level.flatMap((container) =>
      Object.values(container).filter(
        (member): member is object => typeof member === 'object' && member !== null,
      ),
    );
  }
  return false;
}
