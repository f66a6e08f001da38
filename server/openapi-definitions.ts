import type { Definition } from '../engine/registry.js';
import type { JsonObject } from '../src/definition/json.js';
import { LIST_PARAMETERS, parameters } from './openapi-components.js';
import { executionProblems, problems, type ProblemName } from './openapi-problems.js';
import { readOperation } from './openapi-read.js';
import { json, ref } from './openapi-references.js';
import { taskPaths } from './openapi-tasks.js';
import type { Mounted } from './routes/mount.js';

/** One place where a pipeline, a task or a workflow is served. */
export interface Place {
  readonly definition: Definition;
  readonly base: string;
  readonly mounted: Mounted;
  /** What its operation ids begin with; unique. */
  readonly as: string;
}

/** The name of the schema of what goes into a definition. */
export function inputName(name: string): string {
  return `${name}.input`;
}

/** The name of the schema of what comes out of it. */
export function outputName(name: string): string {
  return `${name}.output`;
}

type Path = readonly [string, JsonObject];

/** The paths of one place. */
export function pathsOf(place: Place): readonly Path[] {
  const { base, mounted } = place;
  return [
    [base, { get: showOperation(place), post: executeOperation(place) }],
    ...(mounted.stream ? streamPaths(place) : []),
    ...(mounted.async ? asyncPaths(place) : []),
  ];
}

function showOperation({ definition, as }: Place): JsonObject {
  const { name } = definition;
  const [parts, schema] = definition.kind === 'task' ? ['steps', 'Task'] : ['stages', 'Pipeline'];
  return readOperation(`${as}:info`, name, `Contracts and ${parts} of ${name}.`, schema, [
    'NotFound',
    'Forbidden',
  ]);
}

const START_PROBLEMS: readonly ProblemName[] = [
  'InvalidRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'PayloadTooLarge',
  'UnsupportedMediaType',
  'Unprocessable',
  'InternalError',
  'Unavailable',
];

function executeOperation({ definition, mounted: { async }, as }: Place): JsonObject {
  const { name, description } = definition;
  return {
    operationId: `${as}:run`,
    tags: [name],
    summary: `Run ${name} and wait for its result.`,
    ...(description !== undefined && { description }),
    parameters: [...(async ? parameters(['Prefer']) : []), ...waitingParameters(definition)],
    requestBody: inputBody(definition),
    responses: {
      200: json('The result.', {
        type: 'object',
        required: ['success', 'result', 'execution_id'],
        properties: {
          success: { const: true },
          result: ref('schemas', outputName(name)),
          execution_id: { type: 'string' },
        },
      }),
      ...(async && {
        202: json(
          'It takes longer than the client or the server waits. The run goes on.',
          ref('schemas', 'Accepted'),
        ),
      }),
      ...problems([...START_PROBLEMS, 'Stopped', 'ExecutionError', 'Timeout']),
    },
  };
}

function streamPaths({ base, definition, as }: Place): readonly Path[] {
  const { name } = definition;
  return [
    [
      `${base}/stream`,
      {
        post: {
          operationId: `${as}:stream`,
          tags: [name],
          summary: `Run ${name} and stream its events.`,
          parameters: waitingParameters(definition),
          requestBody: inputBody(definition),
          responses: { 200: ref('responses', 'Events'), ...problems(START_PROBLEMS) },
        },
      },
    ],
    [
      `${base}/executions/{execution_id}/events`,
      {
        get: {
          operationId: `${as}:execution_events`,
          tags: [name],
          summary: 'Stream the events of an execution, past and to come.',
          parameters: parameters(['ExecutionId', 'LastEventId', 'LastEventIdQuery']),
          responses: {
            200: ref('responses', 'Events'),
            204: { description: 'The execution is over, and Last-Event-ID is its last event.' },
            ...executionProblems('InvalidRequest'),
          },
        },
      },
    ],
  ];
}

function asyncPaths({ base, definition, as }: Place): readonly Path[] {
  const { name } = definition;
  const isTask = definition.kind === 'task';
  const execution = `${base}/executions/{execution_id}`;
  const start = {
    operationId: `${as}:async`,
    tags: [name],
    summary: `Start ${name} and answer at once.`,
    parameters: parameters(['IdempotencyKey', 'WebhookUrl', 'WebhookUrlHeader']).concat(
      identityParameter(definition),
    ),
    requestBody: inputBody(definition),
    responses: { 202: json('Started.', ref('schemas', 'Accepted')), ...problems(START_PROBLEMS) },
  };
  const list = {
    ...readOperation(
      `${as}:executions`,
      name,
      `Executions of ${name}, newest first.`,
      isTask ? 'TaskExecutionList' : 'ExecutionList',
      ['InvalidRequest', 'Forbidden', 'NotFound'],
    ),
    parameters: LIST_PARAMETERS,
  };
  const show = {
    operationId: `${as}:execution`,
    tags: [name],
    summary: 'Status of an execution.',
    parameters: parameters(['ExecutionId']),
    responses: {
      200: json('The execution.', {
        allOf: [ref('schemas', isTask ? 'TaskExecution' : 'Execution')],
        properties: { result: ref('schemas', outputName(name)) },
      }),
      ...executionProblems(),
    },
  };
  const cancel = {
    operationId: `${as}:execution_cancel`,
    tags: [name],
    summary: 'Ask an execution to end.',
    parameters: parameters(['ExecutionId']),
    responses: {
      202: json('It was asked.', ref('schemas', 'Accepted')),
      ...executionProblems('Closed'),
    },
  };
  return [
    [`${base}/async`, { post: start }],
    [`${base}/executions`, { get: list }],
    [execution, { get: show }],
    [`${execution}/cancel`, { post: cancel }],
    ...(isTask ? taskPaths(base, as, name) : []),
  ];
}

/** What a request may say that starts a run and stays to see it. */
function waitingParameters(definition: Definition): readonly JsonObject[] {
  return parameters(['IdempotencyKey', 'OnDisconnect', 'WebhookUrl', 'WebhookUrlHeader']).concat(
    identityParameter(definition),
  );
}

/** The key of a task whose callers say which is which. */
function identityParameter(definition: Definition): readonly JsonObject[] {
  return definition.kind === 'task' && definition.identityStrategy === 'caller_provided'
    ? [ref('parameters', 'IdentityKey')]
    : [];
}

function inputBody({ name }: Definition): JsonObject {
  const schema = ref('schemas', inputName(name));
  return {
    content: { 'application/json': { schema }, 'application/x-www-form-urlencoded': { schema } },
  };
}
