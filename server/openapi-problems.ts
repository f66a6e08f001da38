import type { JsonObject } from '../src/definition/json.js';
import type { ErrorType } from './http-problem.js';
import { ref } from './openapi-references.js';

interface ProblemDescription {
  readonly status: number;
  readonly description: string;
  readonly example: {
    readonly error: string;
    readonly type: ErrorType;
    readonly [field: string]: JsonObject[string];
  };
}

const PROBLEMS = {
  InvalidRequest: {
    status: 400,
    description: 'The body is no JSON object, or a header or parameter is wrong.',
    example: {
      error: 'The body must be a JSON object, such as {"text":"…"}; it is an array.',
      type: 'invalid_request',
    },
  },
  Unauthorized: {
    status: 401,
    description:
      'Nobody, or nobody known, makes this request. Only where the server authenticates.',
    example: { error: 'Unauthorized', type: 'unauthorized' },
  },
  Forbidden: {
    status: 403,
    description: 'The pipeline is not exposed, or the server or a hook refuses this request.',
    example: { error: 'Pipeline not accessible', type: 'forbidden' },
  },
  NotFound: {
    status: 404,
    description:
      'There is no such pipeline, data flow or record pipeline, or it has no such execution, run, version or record type.',
    example: { error: 'Pipeline not found: summarise', type: 'not_found' },
  },
  Closed: {
    status: 409,
    description: 'The execution is already over.',
    example: {
      error: 'Execution is already over: completed',
      type: 'execution_closed',
      status: 'completed',
    },
  },
  NoDeadLetter: {
    status: 409,
    description: 'No limit has set the execution aside.',
    example: {
      error: 'Execution 01JD2Q is no dead letter: no limit has set it aside.',
      type: 'no_dead_letter',
    },
  },
  StepRefused: {
    status: 409,
    description: 'The step is not where this could be done, or the task is over.',
    example: {
      error: 'Step "charge" has not failed: it is complete.',
      type: 'step_refused',
      step: 'charge',
      step_status: 'complete',
      reason: 'not_failed',
    },
  },
  Stopped: {
    status: 409,
    description: 'The run was cancelled or terminated while this request waited for it.',
    example: {
      error: 'The run was cancelled.',
      type: 'execution_error',
      code: 'cancelled',
      status: 'cancelled',
    },
  },
  PayloadTooLarge: {
    status: 413,
    description: 'The body is too large.',
    example: {
      error: 'The body is larger than 1048576 bytes (server.bodyLimit).',
      type: 'payload_too_large',
    },
  },
  UnsupportedMediaType: {
    status: 415,
    description: 'The body is neither JSON nor a form.',
    example: { error: "The body's Content-Type is not supported.", type: 'unsupported_media_type' },
  },
  Unprocessable: {
    status: 422,
    description:
      'The input is not as the contract says, the webhook is refused, or the Idempotency-Key was used otherwise.',
    example: {
      error: "Property 'text' expected string, got undefined",
      type: 'contract_violation',
      violations: [
        {
          path: 'text',
          expected: 'string',
          got: 'undefined',
          message: "Property 'text' expected string, got undefined",
        },
      ],
    },
  },
  ExecutionError: {
    status: 500,
    description: 'The run failed.',
    example: {
      error: 'no such customer',
      type: 'execution_error',
      code: 'PermanentError',
      stage: 'load',
      operation: 'find',
    },
  },
  InternalError: {
    status: 500,
    description: 'The server failed.',
    example: { error: 'Internal server error', type: 'internal_error' },
  },
  Unavailable: {
    status: 503,
    description:
      'The Temporal server or the catalog cannot be reached, the server is stopping, or it has too many streams.',
    example: { error: 'The server is stopping.', type: 'unavailable' },
  },
  Timeout: {
    status: 504,
    description: 'The run took longer than its timeout.',
    example: {
      error: 'The run took longer than its timeout.',
      type: 'timeout',
      code: 'timeout',
      status: 'timed_out',
    },
  },
} as const satisfies Readonly<Record<string, ProblemDescription>>;

/** The name of a response that says what went wrong. */
export type ProblemName = keyof typeof PROBLEMS;

/** Responses by status. Of two with one status the later is described. */
export function problems(names: readonly ProblemName[]): JsonObject {
  return Object.fromEntries(
    names.map((name) => [String(PROBLEMS[name].status), ref('responses', name)]),
  );
}

/** The responses of requests for an execution, or all of them, and more that one of them may have. */
export function executionProblems(...more: readonly ProblemName[]): JsonObject {
  return problems([
    'Unauthorized',
    'Forbidden',
    'NotFound',
    ...more,
    'InternalError',
    'Unavailable',
  ]);
}

const REQUEST_ID = '01JABCDEFGHJKMNPQRSTVWXYZ0';

/** A response that says what went wrong. */
export function problemResponse({ description, example }: ProblemDescription): JsonObject {
  return {
    description,
    headers: { 'X-Request-Id': { schema: { type: 'string' } } },
    content: {
      'application/json': {
        schema: ref('schemas', 'Problem'),
        example: { success: false, request_id: REQUEST_ID, ...example },
      },
    },
  };
}

/** The responses that say what went wrong, by the names that paths refer to. */
export const PROBLEM_RESPONSES: JsonObject = Object.fromEntries(
  Object.entries(PROBLEMS).map(([name, problem]) => [name, problemResponse(problem)]),
);
