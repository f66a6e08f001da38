import type { JsonObject } from '../src/definition/json.js';
import { problems, type ProblemName } from './openapi-problems.js';
import { json, ref } from './openapi-references.js';

/**
 * The operation of what is only read.
 *
 * @param schema - of the answer, by its name
 * @param failures - what may go wrong beside what may in all such
 */
export function readOperation(
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
