import type { PipelineRoute } from '../src/config/routes.js';
import type { Json, JsonObject } from '../src/definition/json.js';
import { isPlainObject } from '../src/definition/json.js';
import { VERSION } from '../src/version.js';
import type { Api } from './api-options.js';
import { exposedDefinitions, listOf } from './middleware/exposure.js';
import { COMPONENTS } from './openapi-components.js';
import { inputName, outputName, pathsOf, type Place } from './openapi-definitions.js';
import { probePaths } from './openapi-probes.js';
import { kindParts } from './openapi-kinds.js';
import { readOperation } from './openapi-read.js';
import { TASK_COMPONENTS } from './openapi-tasks.js';
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
        get: readOperation(
          'millrace:pipelines',
          'Pipelines',
          'All exposed pipelines with their contracts.',
          'PipelineList',
        ),
      },
      '/tasks': {
        get: readOperation(
          'millrace:tasks',
          'Tasks',
          'All exposed tasks with their contracts.',
          'TaskList',
        ),
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
