import { defineStepHandler } from '../../src/task/handler.js';
import { error, success } from '../../src/task/step-result.js';
import { defineTask } from '../../src/task/task.js';

const echo = defineStepHandler({
  name: 'echo',
  version: '1.2.0',
  run: ({ getTaskField }) => success({ said: getTaskField<string>('text') ?? null }),
});

const decline = defineStepHandler({
  name: 'decline',
  run: () => error({ type: 'CardDeclined', message: 'no funds', retryable: false }),
});

export const inputSchema = {
  type: 'object',
  required: ['text'],
  properties: { text: { type: 'string' } },
} as const;

export const tasks = [
  defineTask({
    name: 'say',
    namespaceName: 'talk',
    version: '3.0.0',
    description: 'Says it again',
    inputSchema,
    steps: [{ name: 'echo', handler: echo }],
  }),
  defineTask({
    name: 'pay',
    lifecycle: { onError: 'wait' },
    steps: [
      {
        name: 'charge',
        handler: decline,
        resultSchema: {
          type: 'object',
          required: ['paid'],
          properties: { paid: { type: 'boolean' } },
        },
      },
      { name: 'receipt', handler: echo, dependencies: ['charge'] },
    ],
  }),
  defineTask({
    name: 'overdue',
    lifecycle: { maxDuration: '300ms', onLimit: 'dead_letter' },
    inputSchema,
    steps: [{ name: 'check', type: 'approval' }],
  }),
  defineTask({ name: 'fail', steps: [{ name: 'charge', handler: decline }] }),
  defineTask({
    name: 'ask',
    steps: [
      { name: 'check', type: 'approval', resultSchema: { type: 'object', required: ['by'] } },
      { name: 'echo', handler: echo, dependencies: ['check'] },
    ],
  }),
  defineTask({
    name: 'once',
    identityStrategy: 'strict',
    steps: [{ name: 'echo', handler: echo }],
  }),
  defineTask({
    name: 'keyed',
    identityStrategy: 'caller_provided',
    steps: [{ name: 'echo', handler: echo }],
  }),
];
