import { PROBE_SCHEMAS } from './openapi-probes.js';
import { MAX_PAGE } from '../engine/execution-list.js';
import { MAX_IDEMPOTENCY_KEY } from '../engine/idempotency.js';
import type { JsonObject } from '../src/definition/json.js';
import { PROBLEM_RESPONSES } from './openapi-problems.js';
import { object, ref } from './openapi-references.js';
import { FLOW_RUN_STATUSES } from '../src/data-flow/catalog.js';
import { EXECUTION_STATUSES } from '../src/progress/status.js';
import { MAX_WEBHOOK_URL } from './run-request.js';

const text: JsonObject = { type: 'string' };
const time: JsonObject = { type: 'string', format: 'date-time' };
const status: JsonObject = { enum: [...EXECUTION_STATUSES] };
const anyObject: JsonObject = { type: 'object' };
const anySchema: JsonObject = { type: 'object', description: 'JSON Schema, draft 2020-12.' };
const links: JsonObject = { status_url: text, events_url: text };

function summary(name: string): JsonObject {
  return object(['execution_id', name, 'status', 'started_at'], {
    execution_id: text,
    [name]: text,
    status,
    started_at: time,
    completed_at: time,
    principal: text,
    ...(name === 'task_name' && {
      dead_letter: { ...text, description: 'Which limit has set it aside.' },
    }),
    ...links,
  });
}

function list(summaries: string): JsonObject {
  return object(['executions'], {
    executions: { type: 'array', items: ref('schemas', summaries) },
    next_page_token: text,
  });
}

const SCHEMAS = {
  ...PROBE_SCHEMAS,
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
  ExecutionSummary: summary('pipe_name'),
  TaskExecutionSummary: summary('task_name'),
  ExecutionList: list('ExecutionSummary'),
  TaskExecutionList: list('TaskExecutionSummary'),
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
    step: text,
    step_status: text,
    reason: text,
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

/** References to the parameters of lists of executions. */
export const LIST_PARAMETERS = parameters([
  'Status',
  'StartedAfter',
  'StartedBefore',
  'Limit',
  'PageToken',
]);

/** The components that documents share, whatever pipelines there are. */
export const COMPONENTS = {
  schemas: SCHEMAS as JsonObject,
  parameters: PARAMETERS as JsonObject,
  responses: {
    Events: EVENTS,
    ...PROBLEM_RESPONSES,
  } as JsonObject,
} as const;
