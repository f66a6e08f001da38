import type { JsonObject } from '../src/definition/json.js';
import { problems } from './openapi-problems.js';
import { ref } from './openapi-references.js';

/** What `/session` gives; see session-routes.ts. */
export const SESSION_COMPONENTS = {
  schemas: {
    Session: {
      type: 'object',
      required: ['principal', 'expires_at'],
      properties: {
        principal: { type: 'string' },
        expires_at: { type: 'string', format: 'date-time' },
      },
    },
  },
  parameters: {},
  responses: {},
} satisfies Readonly<Record<string, JsonObject>>;

/** The path of sessions of browsers. */
export function sessionPaths(path: string): readonly (readonly [string, JsonObject])[] {
  const session = (description: string): JsonObject => ({
    description,
    content: { 'application/json': { schema: ref('schemas', 'Session') } },
  });
  const failures = problems(['Unauthorized', 'InternalError']);
  const changing = problems(['Forbidden', 'InternalError']);
  const operation = (id: string, summary: string, responses: JsonObject): JsonObject => ({
    operationId: `millrace:${id}`,
    tags: ['Session'],
    summary,
    responses,
  });
  return [
    [
      path,
      {
        get: operation('session', 'Whose session it is, and how long it lasts.', {
          200: session('The session.'),
          ...failures,
        }),
        post: operation('open_session', 'Gives whoever authenticates a session, in a cookie.', {
          201: session('The session.'),
          ...changing,
          ...failures,
        }),
        delete: operation('close_session', 'Takes the cookie away.', {
          204: { description: 'There is no session any more.' },
          ...changing,
        }),
      },
    ],
  ];
}
