import { MAX_PAGE } from '../engine/execution-list.js';
import { MAX_IDEMPOTENCY_KEY } from '../engine/idempotency.js';
import type { JsonObject } from '../src/definition/json.js';
import { FLOW_RUN_STATUSES } from '../src/data-flow/catalog.js';
import { EXECUTION_STATUSES } from '../src/progress/status.js';
import type { ErrorType } from './http-problem.js';
import { MAX_WEBHOOK_URL } from './run-request.js';

/** A reference to a component of the document. */
export function ref(kind: 'schemas' | 'responses' | 'parameters', name: string): JsonObject {
  return { $ref: `#/components/${kind}/${name}` };
}

const text: JsonObject = { type: 'string' };
const time: JsonObject = { type: 'string', format: 'date-time' };
const status: JsonObject = { enum: [...EXECUTION_STATUSES] };
const anyObject: JsonObject = { type: 'object' };
const anySchema: JsonObject = { type: 'object', description: 'JSON Schema, draft 2020-12.' };
const links: JsonObject = { status_url: text, events_url: text };

function object(required: readonly string[], properties: JsonObject): JsonObject {
  return { type: 'object', required, properties };
}

const SCHEMAS = {
  Health: object(['status', 'loaded', 'version'], {
    status: { const: 'ok' },
    loaded: { type: 'boolean' },
    version: text,
  }),
  PipelineSummary: object(['name', 'input_schema', 'output_schema'], {
    name: text,
    description: text,
    input_schema: anySchema,
    output_schema: anySchema,
  }),
  PipelineList: object(['pipelines'], {
    pipelines: { type: 'array', items: ref('schemas', 'PipelineSummary') },
  }),
  Pipeline: {
    allOf: [ref('schemas', 'PipelineSummary')],
    ...object(['stages'], { stages: { type: 'array', items: text } }),
  },
  Accepted: object(['execution_id', 'status'], {
    execution_id: text,
    status,
    webhook_url: text,
    ...links,
  }),
  ExecutionSummary: object(['execution_id', 'pipe_name', 'status', 'started_at'], {
    execution_id: text,
    pipe_name: text,
    status,
    started_at: time,
    completed_at: time,
    principal: text,
    ...links,
  }),
  ExecutionList: object(['executions'], {
    executions: { type: 'array', items: ref('schemas', 'ExecutionSummary') },
    next_page_token: text,
  }),
  Execution: {
    allOf: [ref('schemas', 'ExecutionSummary')],
    ...object(['stages', 'usage'], {
      result: {},
      error: object(['type', 'message', 'code'], {
        type: { enum: ['contract_violation', 'execution_error', 'timeout'] },
        message: text,
        code: text,
        stage: text,
        operation: text,
        attempts: { type: 'integer' },
        details: {},
      }),
      stages: { type: 'array', items: anyObject },
      usage: {
        type: 'array',
        items: object(['model', 'input_tokens', 'output_tokens'], {
          model: text,
          input_tokens: { type: 'integer' },
          output_tokens: { type: 'integer' },
        }),
      },
      temporal_url: text,
    }),
  },
  Problem: object(['success', 'error', 'type', 'request_id'], {
    success: { const: false },
    error: { type: 'string', description: 'What is wrong, for people.' },
    type: { type: 'string', description: 'What is wrong, for code.' },
    request_id: text,
    execution_id: text,
    code: { type: 'string', description: 'The type of the error that ended the run.' },
    status: {
      enum: [...new Set([...EXECUTION_STATUSES, ...FLOW_RUN_STATUSES, 'interrupted'])],
    },
    run_id: {
      type: 'string',
      description: 'The run of a data flow or of a record pipeline that it is about.',
    },
    run_seq: { type: 'integer' },
    started_at: { ...time, description: 'When the run began that works on the store.' },
    store_id: { type: 'string', description: 'The store that nobody has.' },
    host: { type: 'string', description: 'The machine that had it last.' },
    stage: text,
    operation: text,
    attempts: { type: 'integer' },
    details: {},
    violations: {
      type: 'array',
      items: object(['path', 'got', 'message'], {
        path: text,
        expected: text,
        got: text,
        message: text,
      }),
    },
  }),
} as const satisfies JsonObject;

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

const EVENTS: JsonObject = {
  description:
    'Server-sent events: pipe_started, stage_started, operation_started, operation_completed, operation_failed, ' +
    'stage_completed, stage_failed, operation_waiting, and at the end complete, or pipe_failed and error. Those have ids. ' +
    'Hints without ids: operation_retrying, operation_progress.',
  headers: { 'X-Execution-Id': { schema: text } },
  content: {
    'text/event-stream': {
      schema: text,
      example:
        'id: 0190c5a0-7b5e-7000-8000-000000000000.1.0\nevent: pipe_started\ndata: {"pipe":"summarize","input_keys":["text"]}\n\n',
    },
  },
};

const PARAMETERS = {
  ExecutionId: { name: 'execution_id', in: 'path', required: true, schema: text },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description:
      'wait=N: answer within N seconds, with 202 where the result is not there (RFC 7240).',
    schema: text,
    example: 'wait=10',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'The same key with the same content starts one run, however often it is sent.',
    schema: { type: 'string', minLength: 1, maxLength: MAX_IDEMPOTENCY_KEY },
  },
  OnDisconnect: {
    name: 'on_disconnect',
    in: 'query',
    description: 'cancel: the run is cancelled when this client leaves before the end.',
    schema: { enum: ['continue', 'cancel'] },
  },
  WebhookUrl: {
    name: 'webhook_url',
    in: 'query',
    description: 'Gets the outcome by POST.',
    schema: { type: 'string', format: 'uri', maxLength: MAX_WEBHOOK_URL },
  },
  WebhookUrlHeader: {
    name: 'Webhook-URL',
    in: 'header',
    description: 'As webhook_url.',
    schema: { type: 'string', format: 'uri', maxLength: MAX_WEBHOOK_URL },
  },
  LastEventId: {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'Go on after this event.',
    schema: text,
  },
  LastEventIdQuery: {
    name: 'last_event_id',
    in: 'query',
    description: 'As Last-Event-ID.',
    schema: text,
  },
  Status: { name: 'status', in: 'query', schema: status },
  StartedAfter: { name: 'started_after', in: 'query', schema: time },
  StartedBefore: { name: 'started_before', in: 'query', schema: time },
  Limit: {
    name: 'limit',
    in: 'query',
    schema: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 20 },
  },
  PageToken: {
    name: 'page_token',
    in: 'query',
    description: 'next_page_token of the page before.',
    schema: text,
  },
} as const satisfies JsonObject;

/** References to parameters. */
export function parameters(names: readonly (keyof typeof PARAMETERS)[]): readonly JsonObject[] {
  return names.map((name) => ref('parameters', name));
}

const REQUEST_ID = '01JABCDEFGHJKMNPQRSTVWXYZ0';

/** A response that says what went wrong. */
export function problemResponse({ description, example }: ProblemDescription): JsonObject {
  return {
    description,
    headers: { 'X-Request-Id': { schema: text } },
    content: {
      'application/json': {
        schema: ref('schemas', 'Problem'),
        example: { success: false, request_id: REQUEST_ID, ...example },
      },
    },
  };
}

/** The components that documents share, whatever pipelines there are. */
export const COMPONENTS = {
  schemas: SCHEMAS as JsonObject,
  parameters: PARAMETERS as JsonObject,
  responses: {
    Events: EVENTS,
    ...Object.fromEntries(
      Object.entries(PROBLEMS).map(([name, problem]) => [name, problemResponse(problem)]),
    ),
  } as JsonObject,
} as const;
