import { z } from 'zod';
import type { JsonObject } from '../../src/definition/json.js';
import { problemResponse, problems } from '../openapi-problems.js';
import { ref } from '../openapi-references.js';
import type { AttributeRoute } from './attribute-route.js';
import { ATTRIBUTE_ROUTES } from './route-list.js';

const TAG = 'Attributes';

/** What the document says of entities, attributes and their pipelines. Made of the routes themselves. @param path - before all of them */
export function attributePaths(path: string): readonly (readonly [string, JsonObject])[] {
  const routes = ATTRIBUTE_ROUTES;
  const paths = [...new Set(routes.map((route) => route.path))];
  return paths.map((below) => [
    `${path}${below.replace(/:(\w+)/g, '{$1}')}`,
    Object.fromEntries(
      routes
        .filter((route) => route.path === below)
        .map((route) => [route.method, operation(route)]),
    ),
  ]);
}

function operation({
  name,
  path,
  summary,
  body,
  query = {},
  answer,
  status = 200,
  waits = false,
  method,
  access,
}: AttributeRoute): JsonObject {
  // Whatever changes something can find that it has been changed, is needed, or goes on.
  const mayConflict = method !== 'get' && access !== 'read';
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, parameter = '']) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query).map(([parameter, description]) => ({
    name: parameter,
    in: 'query',
    description,
    schema: { type: 'string' },
  }));
  const parameters = [...inPath, ...inQuery, ...(waits ? [ref('parameters', 'Prefer')] : [])];
  return {
    operationId: name,
    tags: [TAG],
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(body, 'input') } },
      },
    }),
    responses: {
      [String(status)]: answerOf(answer, status),
      ...(waits && { 200: { ...answerOf(answer, 200), description: 'It has ended in time.' } }),
      ...problems([
        ...(Object.keys(query).length > 0 || body !== undefined
          ? (['InvalidRequest'] as const)
          : []),
        'NotFound',
        ...(body === undefined
          ? []
          : (['PayloadTooLarge', 'UnsupportedMediaType', 'Unprocessable'] as const)),
        'Unavailable',
      ]),
      ...(mayConflict && { 409: ref('responses', 'AttributeConflict') }),
    },
  };
}

function answerOf(answer: z.ZodType | undefined, status: number): JsonObject {
  if (status === 204) return { description: 'Done.' };
  if (answer === undefined)
    return {
      description: 'Events.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    };
  return {
    description: status === 202 ? 'Accepted.' : status === 201 ? 'Added.' : 'Success.',
    content: { 'application/json': { schema: schemaOf(answer, 'output') } },
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  // What the library gives is JSON.
  return described as JsonObject;
}

/** Components that the paths refer to. */
export const ATTRIBUTE_COMPONENTS = {
  schemas: {},
  parameters: {},
  responses: {
    AttributeConflict: problemResponse({
      status: 409,
      description:
        'Somebody else has edited it (edit_conflict, with what there is now), the name is taken (name_taken), something needs it (in_use), or another run goes on (run_active).',
      example: {
        error:
          'Pipeline product.area was edited meanwhile: your change is of version 1, and there is version 2. Nothing was changed: read it again.',
        type: 'edit_conflict',
      },
    }),
  },
} as const;
