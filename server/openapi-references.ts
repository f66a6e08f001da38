import type { JsonObject } from '../src/definition/json.js';

/** A reference to a component of the document. */
export function ref(kind: 'schemas' | 'responses' | 'parameters', name: string): JsonObject {
  return { $ref: `#/components/${kind}/${name}` };
}

/** The schema of an object with these properties. */
export function object(required: readonly string[], properties: JsonObject): JsonObject {
  return { type: 'object', required, properties };
}

/** A response with a JSON body. */
export function json(description: string, schema: JsonObject): JsonObject {
  return { description, content: { 'application/json': { schema } } };
}
