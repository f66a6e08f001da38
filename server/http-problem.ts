import type { Json } from '../src/definition/json.js';

/** The `type` of an error body: what a client's code may depend on. The first three are seed 000's. */
export type ErrorType =
  | 'contract_violation'
  | 'execution_error'
  | 'timeout'
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'execution_closed'
  | 'duplicate_task'
  | 'step_refused'
  | 'no_dead_letter'
  | 'flow_active'
  | 'run_active'
  | 'name_taken'
  | 'in_use'
  | 'edit_conflict'
  | 'dependency_cycle'
  | 'not_scheduled'
  | 'store_busy'
  | 'store_away'
  | 'store_unusable'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'invalid_webhook_url'
  | 'idempotency_conflict'
  | 'rejected'
  | 'too_many_streams'
  | 'unavailable'
  | 'internal_error';

/** What an {@link HttpProblem} says beside its status, type and message. */
export interface ProblemParts {
  readonly headers?: Readonly<Record<string, string>>;
  /** More properties of the body. */
  readonly fields?: Readonly<Record<string, Json>>;
  /** What has led to it; for the log. */
  readonly cause?: unknown;
}

/** A request that cannot be answered as asked. The error middleware turns it into a response. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, Json>>;

  constructor(
    readonly status: number,
    readonly type: ErrorType,
    message: string,
    { headers = {}, fields = {}, ...cause }: ProblemParts = {},
  ) {
    super(message, cause);
    this.headers = headers;
    this.fields = fields;
  }
}

/** The body of a request says what cannot be. @param what - without a full stop: "reason must say why" */
export function invalidBody(what: string): HttpProblem {
  return new HttpProblem(422, 'invalid_request', `${what}.`);
}
