import type { Json } from '../../src/definition/json.js';
import { permanent } from '../../src/pipeline/permanent.js';
import type { ApiClient, ApiRequest, ApiResponse } from '../../src/task/api-client.js';
import { send } from './request.js';

/** What a client calls, and how. */
export interface ApiClientOptions {
  /** What paths are added to; asked for each request. */
  readonly baseUrl: () => string;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal;
}

/** A client of an HTTP API that takes and gives JSON. It follows no redirects. */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const call =
    (method: string) =>
    <T = Json>(path: string, request: ApiRequest = {}): Promise<ApiResponse<T>> =>
      exchange<T>(options, method, path, request);
  return {
    get: call('GET'),
    post: call('POST'),
    put: call('PUT'),
    patch: call('PATCH'),
    delete: call('DELETE'),
  };
}

async function exchange<T>(
  options: ApiClientOptions,
  method: string,
  path: string,
  { body, query = {}, headers = {} }: ApiRequest,
): Promise<ApiResponse<T>> {
  const { timeoutMs, maxResponseBytes, signal } = options;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await send({
    url: urlOf(options.baseUrl(), path, query),
    method,
    headers: {
      accept: 'application/json',
      ...(text !== undefined && { 'content-type': 'application/json' }),
      ...options.headers,
      ...headers,
    },
    ...(text !== undefined && { body: text }),
    timeoutMs,
    maxResponseBytes,
    // The task's own limits bound it: what would have to wait longer is not tried again.
    maxRetryAfterMs: Infinity,
    signal,
  });
  const { status, headers: answered } = answer;
  // What the API answers is for the caller to know.
  return { status, headers: answered, body: parsed(answer.text) as T };
}

/** Adds a path to the base, which may have one itself: `https://host/v1` and `/rates` are `https://host/v1/rates`. */
function urlOf(base: string, path: string, query: NonNullable<ApiRequest['query']>): URL {
  const text = path === '' ? base : `${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw permanent(`${JSON.stringify(text)} is no http or https URL: see baseUrl of the handler.`);
  const url = new URL(text);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.append(name, String(value));
  return url;
}

function parsed(text: string): Json {
  if (text === '') return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
