import type { PipelineRoute } from '../src/config/routes.js';
import type { Definition } from '../engine/registry.js';
import type { Json, JsonObject } from '../src/definition/json.js';
import { isPlainObject } from '../src/definition/json.js';
import { VERSION } from '../src/version.js';
import type { Api } from './api-options.js';
import { exposedDefinitions, listOf } from './middleware/exposure.js';
import { TASK_COMPONENTS, taskPaths } from './openapi-tasks.js';
import { COMPONENTS, parameters } from './openapi-components.js';
import { probePaths } from './openapi-probes.js';
import { problems, type ProblemName } from './openapi-problems.js';
import { ref, json } from './openapi-references.js';
import { kindParts } from './openapi-kinds.js';
import type { Mounted } from './routes/mount.js';

/** What a document describes. */
export interface OpenApiRequest {
  /** Path that the app is mounted at; empty at the root. */
  readonly server: string;
  /** Which routes all exposed pipelines have, and below which path; undefined where only those of `routes` have some. */
  readonly catchAll:
    | (Mounted & { readonly path: string; /** The same of tasks. */ readonly tasks: string })
    | undefined;
  /** Pipelines at paths of their own. */
  readonly routes: readonly PipelineRoute[];
  /** Path of the list of data flows, where their API is served. A project without any has none described. */
  readonly dataFlows?: string;
  /** Path of the heartbeat. */
  readonly heartbeat: string;
  /** Path of the list of record pipelines, where their API is served. A project without any has none described. */
  readonly recordPipelines?: string;
  /** What comes before `/entity_types` and the others; undefined where they are not served. */
  readonly attributes?: string;
  /** Path of links of approvals, where there are any. */
  readonly approvals?: string;
  /** Path of sessions of browsers, where there are any. */
  readonly session?: string;
}

/** One place where a pipeline is served. */
interface Place {
  readonly definition: Definition;
  readonly base: string;
  readonly mounted: Mounted;
  /** What its operation ids begin with; unique. */
  readonly as: string;
}

/** The API as an OpenAPI 3.1 document: every exposed pipeline with its own paths, contracts and errors. */
export function openApiDocument(api: Api, request: OpenApiRequest): JsonObject {
  const { server } = request;
  const places = placesOf(api, request);
  const definitions = new Set(places.map(({ definition }) => definition));
  const contracts = [...definitions].flatMap(({ name, inputSchema, outputSchema }) => [
    [inputName(name), localRefs(inputSchema, inputName(name))] as const,
    [outputName(name), localRefs(outputSchema, outputName(name))] as const,
  ]);
  const kinds = kindParts(api, request);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version: VERSION,
      description:
        'Pipelines, data flows, record pipelines and computed attributes over HTTP, durable on Temporal.',
    },
    servers: [{ url: server === '' ? '/' : server }],
    paths: {
      ...probePaths(),
      '/pipelines': {
        get: read(
          'millrace:pipelines',
          'Pipelines',
          'All exposed pipelines with their contracts.',
          'PipelineList',
        ),
      },
      '/tasks': {
        get: read('millrace:tasks', 'Tasks', 'All exposed tasks with their contracts.', 'TaskList'),
      },
      ...Object.fromEntries([...places.flatMap(pathsOf), ...kinds.paths]),
    },
    components: {
      schemas: {
        ...COMPONENTS.schemas,
        ...TASK_COMPONENTS.schemas,
        ...kinds.schemas,
        ...Object.fromEntries(contracts),
      },
      parameters: {
        ...COMPONENTS.parameters,
        ...TASK_COMPONENTS.parameters,
        ...kinds.parameters,
      },
      responses: {
        ...COMPONENTS.responses,
        ...kinds.responses,
      },
    },
  };
}

/** Where exposed pipelines are, at the path under which a client gets to them first. */
function placesOf(api: Api, { catchAll, routes }: OpenApiRequest): readonly Place[] {
  const exposed = exposedDefinitions(api, () => true);
  const named = routes.flatMap(({ pipeline, path, stream, async }) => {
    const definition = exposed.find(({ name }) => name === pipeline);
    return definition === undefined ? [] : [{ definition, base: path, mounted: { stream, async } }];
  });
  const all =
    catchAll === undefined
      ? []
      : exposed.map((definition) => ({
          definition,
          base: `${listOf(definition) === 'task' ? catchAll.tasks : catchAll.path}/${definition.name}`,
          mounted: catchAll,
        }));
  const counts = new Map<string, number>();
  return [...all, ...named].map((place) => {
    const { name } = place.definition;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { ...place, as: count === 1 ? name : `${name}:${String(count)}` };
  });
}

function inputName(name: string): string {
  return `${name}.input`;
}

function outputName(name: string): string {
  return `${name}.output`;
}

/** References within a schema are relative to it; within a document they start at the document's root. */
function localRefs(schema: Json, name: string): Json {
  if (Array.isArray(schema)) return schema.map((item: Json) => localRefs(item, name));
  if (!isPlainObject(schema)) return schema;
  const entries = Object.entries(schema).map(([key, value]): [string, Json] => {
    // A schema is JSON through and through.
    const json = value;
    if (key === '$ref' && typeof json === 'string' && json.startsWith('#')) {
      return [key, `#/components/schemas/${name}${json.slice(1)}`];
    }
    return [key, localRefs(json, name)];
  });
  return Object.fromEntries(entries);
}

type Path = readonly [string, JsonObject];

function pathsOf(place: Place): readonly Path[] {
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
  return read(`${as}:info`, name, `Contracts and ${parts} of ${name}.`, schema, [
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
    parameters: parameters([
      ...(async ? ['Prefer' as const] : []),
      'IdempotencyKey',
      'OnDisconnect',
      'WebhookUrl',
      'WebhookUrlHeader',
    ]).concat(identityParameter(definition)),
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
          parameters: parameters([
            'IdempotencyKey',
            'OnDisconnect',
            'WebhookUrl',
            'WebhookUrlHeader',
          ]).concat(identityParameter(definition)),
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
            ...problems([
              'InvalidRequest',
              'Unauthorized',
              'Forbidden',
              'NotFound',
              'InternalError',
              'Unavailable',
            ]),
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
    ...read(
      `${as}:executions`,
      name,
      `Executions of ${name}, newest first.`,
      isTask ? 'TaskExecutionList' : 'ExecutionList',
      ['InvalidRequest', 'Forbidden', 'NotFound'],
    ),
    parameters: parameters(['Status', 'StartedAfter', 'StartedBefore', 'Limit', 'PageToken']),
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
      ...problems(['Unauthorized', 'Forbidden', 'NotFound', 'InternalError', 'Unavailable']),
    },
  };
  const cancel = {
    operationId: `${as}:execution_cancel`,
    tags: [name],
    summary: 'Ask an execution to end.',
    parameters: parameters(['ExecutionId']),
    responses: {
      202: json('It was asked.', ref('schemas', 'Accepted')),
      ...problems([
        'Unauthorized',
        'Forbidden',
        'NotFound',
        'Closed',
        'InternalError',
        'Unavailable',
      ]),
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

function read(
  operationId: string,
  tag: string,
  summary: string,
  schema: string,
  failures: readonly ProblemName[] = [],
): JsonObject {
  return {
    operationId,
    tags: [tag],
    summary,
    responses: {
      200: json(summary, ref('schemas', schema)),
      ...problems(['Unauthorized', ...failures, 'InternalError']),
    },
  };
}
