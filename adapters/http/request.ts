import { z } from 'zod';
import { permanent, PermanentError } from '../../src/pipeline/permanent.js';

/** Longest wait that a server can ask for, unless a request says another. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** Longest part of an answer that a message repeats, in characters. */
const MAX_TOLD = 500;

const MAX_REDIRECTS = 5;

/** Options that the source and the sink share. */
export const url = z
  .url({ protocol: /^https?$/ })
  .describe('Where requests go. A redirect is followed by the source only.');

export const headers = z
  .record(z.string(), z.string())
  .default({})
  .describe(
    'Sent with each request to the origin of the URL; values may be `secret://` references.',
  );

export const timeoutMs = z
  .int()
  .min(1)
  .max(10 * 60_000)
  .default(30_000)
  .describe('Longest time of one request with its answer, in milliseconds.');

export const maxResponseBytes = z
  .int()
  .min(1)
  .default(16 * 1024 * 1024)
  .describe('Longest answer, in bytes.');

/** A request that may succeed later: the server is out of reach, busy or out of order. */
export class HttpRequestFailed extends Error {
  override readonly name = 'HttpRequestFailed';
  constructor(
    message: string,
    /** Undefined where there was no answer. */
    readonly status: number | undefined,
    /** How long the server asks us to wait, in milliseconds. */
    readonly retryAfterMs: number | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A request and its bounds. */
export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Longest wait that the server can ask for; 10 minutes unless set. */
  readonly maxRetryAfterMs?: number;
  readonly signal: AbortSignal;
  /** Whether the headers may go to an origin; given only where redirects are followed. */
  readonly mayHaveHeaders?: (url: URL) => boolean;
}

/** An answer that was read to its end. */
export interface HttpAnswer {
  /** Where it came from after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/**
 * Sends a request.
 *
 * @returns the answer, if its status is 2xx or 304
 * @throws {@link HttpRequestFailed} for errors of the network, 408, 429 and 5xx; permanent errors `HttpRequestRefused` for other
 *   statuses and `ResponseTooLarge`; the signal's reason when it is aborted
 */
export async function send(request: HttpRequest): Promise<HttpAnswer> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
  try {
    const answer = await exchange(request, signal);
    if ((answer.status >= 200 && answer.status < 300) || answer.status === 304) return answer;
    throw statusError(request, answer);
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof HttpRequestFailed || error instanceof PermanentError) throw error;
    const reason = signal.aborted
      ? `no answer within timeoutMs (${String(request.timeoutMs)} ms)`
      : networkReason(error);
    throw new HttpRequestFailed(`${told(request)} failed: ${reason}`, undefined, undefined, {
      cause: error,
    });
  }
}

/** Sends a request and follows redirects, where that is wanted. */
async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  let at = request.url;
  for (let redirects = 0; ; redirects += 1) {
    refuseCredentials(at);
    refuseHeaders(request);
    const response = await fetch(at, {
      method: request.method,
      headers: request.mayHaveHeaders?.(at) === false ? {} : request.headers,
      ...(request.body !== undefined && { body: request.body }),
      redirect: 'manual',
      signal,
    });
    const { status, headers: answered } = response;
    const location = status >= 300 && status < 400 ? answered.get('location') : null;
    const text = await boundedText(response, request);
    if (location === null || request.mayHaveHeaders === undefined)
      return { url: at, status, headers: answered, text };
    if (redirects >= MAX_REDIRECTS) {
      throw permanent(
        `${told(request)} was redirected more than ${String(MAX_REDIRECTS)} times.`,
        { url: plain(request.url) },
        'HttpRequestRefused',
      );
    }
    at = redirected(location, at, request);
  }
}

function redirected(location: string, at: URL, request: HttpRequest): URL {
  // The error of the constructor has the location, whose query may hold keys.
  if (URL.canParse(location, at.href)) return new URL(location, at);
  throw permanent(
    `${told(request)} was redirected to what is no URL.`,
    { url: plain(request.url) },
    'HttpRequestRefused',
  );
}

/** Fetch refuses them too, with a message that repeats them. */
function refuseCredentials(at: URL): void {
  if (at.username === '' && at.password === '') return;
  throw permanent(
    `${plain(at)}: a URL may not hold a name and a password. Set \`headers.authorization\`.`,
    { url: plain(at) },
    'HttpRequestRefused',
  );
}

/** Fetch refuses them too, with a message that repeats the value, which may be a secret. */
function refuseHeaders(request: HttpRequest): void {
  for (const [name, value] of Object.entries(request.headers)) {
    if (isHeader(name, value)) continue;
    throw permanent(
      `${told(request)}: header ${JSON.stringify(name)} cannot be sent: its name or its value has characters that no header may have.`,
      { url: plain(request.url), header: name },
      'HttpRequestRefused',
    );
  }
}

function isHeader(name: string, value: string): boolean {
  try {
    new Headers().append(name, value);
    return true;
  } catch {
    return false;
  }
}

async function boundedText(response: Response, request: HttpRequest): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Of a body without an end only this much is kept; leaving the loop cancels the rest.
  for await (const chunk of response.body ?? []) {
    // The body of a fetch is a stream of bytes, which Node's types do not say.
    const part = chunk as Uint8Array;
    bytes += part.byteLength;
    if (bytes > request.maxResponseBytes) {
      throw permanent(
        `${told(request)}: the answer is larger than maxResponseBytes (${String(request.maxResponseBytes)} bytes). Ask for smaller pages.`,
        { url: plain(request.url), maxResponseBytes: request.maxResponseBytes },
        'ResponseTooLarge',
      );
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function statusError(request: HttpRequest, { status, headers: answered, text }: HttpAnswer): Error {
  const body = text.slice(0, MAX_TOLD);
  const message = `${told(request)} was answered with ${String(status)}${body === '' ? '' : `: ${body}`}`;
  if (status === 408 || status === 429 || status >= 500) {
    const { maxRetryAfterMs = MAX_RETRY_AFTER_MS } = request;
    const wait = retryAfterMs(answered.get('retry-after'), maxRetryAfterMs);
    return new HttpRequestFailed(message, status, wait);
  }
  return permanent(message, { status, body, url: plain(request.url) }, 'HttpRequestRefused');
}

/** Milliseconds, from `Retry-After` (RFC 9110: seconds or a date). */
function retryAfterMs(header: string | null, longestMs: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, longestMs) : undefined;
}

/** Node's fetch says only "fetch failed"; its cause says why. */
function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function told({ method, url: at }: HttpRequest): string {
  return `${method} ${plain(at)}`;
}

/** A URL without its credentials and its query, which may hold keys. */
function plain(at: URL): string {
  return `${at.origin}${at.pathname}`;
}
