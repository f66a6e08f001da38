import type { JsonObject } from '../src/definition/json.js';
import { problems } from './openapi-problems.js';
import { json, object, ref } from './openapi-references.js';

const text = { type: 'string' } as const;

/** What the paths of links refer to. */
export const APPROVAL_COMPONENTS = {
  schemas: {
    Approval: object(['task_name', 'execution_id', 'step', 'status'], {
      task_name: text,
      execution_id: text,
      step: text,
      status: text,
      step_status: text,
      result: {},
    }),
    ApprovalAnswered: object(['task_name', 'execution_id', 'step', 'approved'], {
      task_name: text,
      execution_id: text,
      step: text,
      approved: { type: 'boolean' },
    }),
  },
  parameters: {
    ApprovalToken: {
      name: 'token',
      in: 'path',
      required: true,
      schema: text,
      description: 'As a handler has made it, by approvalUrl.',
    },
  },
  responses: {},
} as const satisfies JsonObject;

/** Links by which approvals are answered. */
export function approvalPaths(path: string): readonly (readonly [string, JsonObject])[] {
  const parameters = [ref('parameters', 'ApprovalToken')];
  return [
    [
      `${path}/{token}`,
      {
        get: {
          operationId: 'millrace:approval',
          tags: ['Approvals'],
          summary: 'What a link asks for.',
          security: [],
          parameters,
          responses: {
            200: json('What is asked, and where the step is.', ref('schemas', 'Approval')),
            ...problems(['NotFound', 'InternalError', 'Unavailable']),
          },
        },
        post: {
          operationId: 'millrace:approval_answer',
          tags: ['Approvals'],
          summary: 'Answer what a link asks for.',
          security: [],
          parameters,
          requestBody: {
            content: {
              'application/json': {
                schema: object(['approved'], {
                  approved: { type: 'boolean' },
                  result: {},
                  reason: text,
                  by: text,
                }),
              },
            },
          },
          responses: {
            202: json('It was told.', ref('schemas', 'ApprovalAnswered')),
            ...problems([
              'InvalidRequest',
              'NotFound',
              'StepRefused',
              'Unprocessable',
              'InternalError',
              'Unavailable',
            ]),
          },
        },
      },
    ],
  ];
}
