import type { Json } from '../definition/json.js';

/** What a request of an {@link ApiClient} may have. */
export interface ApiRequest {
  /** Sent as JSON. */
  readonly body?: Json;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer with a status of 200 to 299. */
export interface ApiResponse<T = Json> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or a text where it is none; null where there is no body. */
  readonly body: T;
}

/** Calls the HTTP API of a handler. Aborted with the attempt. */
export type ApiClient = {
  /**
   * @throws {@link PermanentError} for a status of 400, 401, 403, 404, 422 and others that another attempt would repeat;
   *   {@link RetryableError} for 408, 429 and 500 to 599, with what `Retry-After` says, and where there is no answer
   */
  readonly [method in 'get' | 'post' | 'put' | 'patch' | 'delete']: <T = Json>(
    path: string,
    request?: ApiRequest,
  ) => Promise<ApiResponse<T>>;
};
