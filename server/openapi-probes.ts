import type { JsonObject } from '../src/definition/json.js';
import { problems } from './openapi-problems.js';
import { json, object, ref } from './openapi-references.js';

const states = ['starting', 'running', 'draining', 'stopped', 'failed'];
const reached = { enum: ['ok', 'unreachable'] };

/** What `/health` and `/ready` answer. */
export const PROBE_SCHEMAS: Readonly<Record<string, JsonObject>> = {
  Health: object(['status', 'loaded', 'version'], {
    status: { enum: ['ok', 'failed'] },
    loaded: { type: 'boolean' },
    version: { type: 'string' },
    worker: { enum: states },
  }),
  Readiness: object(['status', 'parts'], {
    status: { enum: ['ready', 'starting', 'draining', 'unavailable'] },
    parts: object([], { temporal: reached, catalog: reached, worker: { enum: states } }),
  }),
};

/** The paths of probes. */
export function probePaths(): JsonObject {
  return {
    '/health': { get: probe('health', 'Health', 'Health of the server.') },
    '/ready': {
      get: probe('ready', 'Readiness', 'Whether the server takes work and reaches Temporal.'),
    },
  };
}

function probe(id: string, schema: string, summary: string): JsonObject {
  return {
    operationId: `millrace:${id}`,
    tags: ['Health'],
    summary,
    responses: {
      200: json(summary, ref('schemas', schema)),
      503: json('It is not.', ref('schemas', schema)),
      ...problems(['Unauthorized', 'InternalError']),
    },
  };
}
