import type { JsonObject } from '../src/definition/json.js';
import { STEP_TYPES } from '../src/task/plan.js';
import { STEP_STATUSES } from '../src/task/step-state.js';
import { IDENTITY_STRATEGIES } from '../src/task/task.js';
import { LIST_PARAMETERS, parameters } from './openapi-components.js';
import { executionProblems } from './openapi-problems.js';
import { json, object, ref } from './openapi-references.js';
import { STEP_ACTIONS, type StepAction } from './routes/steps.js';

const text = { type: 'string' } as const;
const names = { type: 'array', items: text } as const;
const anyObject = { type: 'object', additionalProperties: true } as const;

const TASK_HEAD = {
  name: text,
  namespace_name: text,
  version: text,
  description: text,
  input_schema: anyObject,
  output_schema: anyObject,
};

/** What the paths of tasks refer to. */
export const TASK_COMPONENTS = {
  schemas: {
    TaskSummary: object(
      ['name', 'namespace_name', 'version', 'input_schema', 'output_schema'],
      TASK_HEAD,
    ),
    TaskList: object(['tasks'], {
      tasks: { type: 'array', items: ref('schemas', 'TaskSummary') },
    }),
    Task: {
      allOf: [ref('schemas', 'TaskSummary')],
      ...object(['steps', 'identity_strategy'], {
        identity_strategy: { enum: [...IDENTITY_STRATEGIES] },
        metadata: anyObject,
        steps: {
          type: 'array',
          items: object(['name', 'type', 'dependencies'], {
            name: text,
            type: { enum: [...STEP_TYPES] },
            handler: text,
            dependencies: names,
          }),
        },
      }),
    },
    TaskExecution: {
      allOf: [ref('schemas', 'TaskExecutionSummary')],
      ...object(['namespace_name', 'version', 'steps', 'usage'], {
        result: {},
        error: anyObject,
        namespace_name: text,
        version: text,
        steps: { type: 'array', items: ref('schemas', 'Step') },
        usage: { type: 'array' },
        temporal_url: text,
      }),
    },
    Step: object(['name', 'type', 'status', 'dependencies'], {
      name: text,
      template: { ...text, description: 'The step that a worker of a batch is one of.' },
      type: { enum: [...STEP_TYPES] },
      status: { enum: [...STEP_STATUSES] },
      dependencies: names,
      handler: text,
      handler_version: text,
      started_at: { type: 'string', format: 'date-time' },
      duration_ms: { type: 'integer' },
      attempts: { type: 'integer' },
      result: {},
      result_bytes: { type: 'integer', description: 'Of a result that is too large to be shown.' },
      error: object(['type', 'message', 'retryable'], {
        type: text,
        message: text,
        retryable: { type: 'boolean' },
      }),
      by: { ...text, description: 'Who has resolved or answered it.' },
      reason: text,
    }),
    Requeued: object(['execution_id', 'requeues'], {
      execution_id: { ...text, description: 'Of the run that takes its place.' },
      requeues: { ...text, description: 'The one that was set aside.' },
      status_url: text,
      events_url: text,
    }),
    StepAccepted: object(['execution_id', 'step'], {
      execution_id: text,
      step: text,
      status_url: text,
      events_url: text,
    }),
  },
  parameters: {
    Step: {
      name: 'step',
      in: 'path',
      required: true,
      schema: text,
      description: 'The step, or the worker of a batch: load_rows_001.',
    },
    IdentityKey: {
      name: 'identity_key',
      in: 'query',
      schema: { ...text, minLength: 1, maxLength: 255 },
      description: 'Which task this is, where its template has identity_strategy: caller_provided.',
    },
  },
  responses: {},
} as const satisfies JsonObject;

const SUMMARIES: Readonly<Record<StepAction, string>> = {
  retry: 'Have a step that has failed begin again.',
  resolve: 'Say what is taken for the result of a step that has failed.',
  approve: 'Answer an approval.',
  reject: 'Answer an approval with no.',
};

const BODIES: Readonly<Record<StepAction, JsonObject>> = {
  retry: object([], {}),
  resolve: object(['result', 'reason'], {
    result: {},
    reason: text,
    branches: {
      type: 'array',
      items: text,
      description: 'Of a decision: the steps that come next, or none.',
    },
    ranges: {
      type: 'array',
      items: object(['start', 'end'], { start: { type: 'integer' }, end: { type: 'integer' } }),
      description: 'Of a batchable step: what its work is divided into.',
    },
  }),
  approve: object([], { result: {} }),
  reject: object([], { reason: text }),
};

/**
 * What tasks have beside what every definition has: dead letters, and what people tell them of their steps.
 *
 * @param base - the path of the task
 * @param as - what operation ids begin with
 */
export function taskPaths(
  base: string,
  as: string,
  tag: string,
): readonly (readonly [string, JsonObject])[] {
  const execution = `${base}/executions/{execution_id}`;
  return [
    [`${base}/dead_letters`, { get: deadLettersOperation(as, tag) }],
    [`${execution}/requeue`, { post: requeueOperation(as, tag) }],
    ...stepPaths(execution, as, tag),
  ];
}

function deadLettersOperation(as: string, tag: string): JsonObject {
  return {
    operationId: `${as}:dead_letters`,
    tags: [tag],
    summary: 'Executions that a limit has set aside, newest first.',
    parameters: LIST_PARAMETERS,
    responses: {
      200: json('The executions.', ref('schemas', 'TaskExecutionList')),
      ...executionProblems('InvalidRequest'),
    },
  };
}

function requeueOperation(as: string, tag: string): JsonObject {
  return {
    operationId: `${as}:requeue`,
    tags: [tag],
    summary: 'Start an execution again that a limit has set aside.',
    parameters: parameters(['ExecutionId']),
    responses: {
      202: json('Started, or started before.', ref('schemas', 'Requeued')),
      ...executionProblems('NoDeadLetter', 'Unprocessable'),
    },
  };
}

/**
 * What people tell tasks of their steps.
 *
 * @param execution - the path of an execution
 * @param as - what operation ids begin with
 */
function stepPaths(
  execution: string,
  as: string,
  tag: string,
): readonly (readonly [string, JsonObject])[] {
  return STEP_ACTIONS.map((action) => [
    `${execution}/steps/{step}/${action}`,
    {
      post: {
        operationId: `${as}:step_${action}`,
        tags: [tag],
        summary: SUMMARIES[action],
        parameters: [...parameters(['ExecutionId']), ref('parameters', 'Step')],
        requestBody: { content: { 'application/json': { schema: BODIES[action] } } },
        responses: {
          202: json('It was told.', ref('schemas', 'StepAccepted')),
          ...executionProblems('InvalidRequest', 'StepRefused', 'Unprocessable'),
        },
      },
    },
  ]);
}
