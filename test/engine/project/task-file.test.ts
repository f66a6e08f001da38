import { describe, expect, it } from '@jest/globals';
import { readTask } from '../../../engine/project/task-file.js';
import { formatProblem } from '../../../src/definition/problem.js';
import { compileTask, type CompiledTask } from '../../../src/task/compile.js';
import {
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
} from '../../../src/task/handler.js';
import { batches, branches, success } from '../../../src/task/step-result.js';

const HANDLERS = [
  defineStepHandler({
    name: 'charge',
    run: () => success({}),
    methods: { refund: () => success({}) },
  }),
  defineDecisionHandler({ name: 'choose', run: () => branches([]) }),
  defineBatchableHandler({ name: 'divide', run: () => batches({ total: 1 }) }),
];

/** Reads a task and compiles what was read, as loading a project does. */
function load(
  text: string,
  environment?: string,
): { readonly task?: CompiledTask; readonly messages: readonly string[] } {
  const { source, problems } = readTask('t.yml', text);
  if (source === undefined) return { messages: problems.map(formatProblem) };
  const { task, problems: found } = compileTask(source, {
    handlers: new Map(HANDLERS.map((handler) => [handler.name, handler])),
    ...(environment !== undefined && { environment }),
  });
  return {
    ...(task !== undefined && { task }),
    messages: [...problems, ...found].map(formatProblem),
  };
}

function messagesOf(text: string): readonly string[] {
  return load(text).messages;
}

/** The task that is written, which is expected to be right. */
function taskOf(text: string, environment?: string): CompiledTask {
  const { task, messages } = load(text, environment);
  if (task === undefined || messages.length > 0) throw new Error(messages.join('\n'));
  return task;
}

const TASK = `name: sell
namespace_name: shop
version: 2.0.1
description: Sells.
metadata: { owner: null, cost_center: 7 }
identity_strategy: caller_provided
input_schema:
  type: object
  required: [order_id]
  properties:
    order_id: { type: string }
    item_count: { type: integer, default: 1 }
domain_events:
  - { name: order.paid, description: It is paid., schema: { type: object } }
lifecycle:
  max_duration: 2h
  max_wait_for_dependencies: 10m
  max_wait_for_retry: 1m
  on_limit: dead_letter
  on_error: wait
steps:
  - name: pick
    type: decision
    handler: choose
  - name: pay
    description: Takes the money.
    handler:
      callable: charge
      method: refund
      initialization: { base_url: http://test, proxy: null }
    depends_on: [pick]
    retry:
      retryable: true
      max_attempts: 5
      backoff: fibonacci
      backoff_base_ms: 10
      max_backoff_ms: 20
    timeout_seconds: 1.5
    publishes_events:
      - { name: order.paid, condition: always, schema: { additionalProperties: false } }
    result_schema: { type: object, properties: { paid_at: { type: string } } }
  - name: cut
    type: batchable
    handler: divide
    dependencies: [pick]
    batch_config:
      batch_size: 50
      parallelism: 4
      cursor_field: order_id
      worker_template: load
      failure_strategy: fail_fast
  - { name: load, type: batch_worker, handler: charge, depends_on: [cut] }
  - name: agree
    type: approval
    depends_on: [pay]
    approval: { timeout: 2d, on_timeout: complete, result: { agreed_by: nobody } }
environments:
  production:
    lifecycle: { max_duration: 3h }
    steps:
      - name: pay
        handler: { initialization: { base_url: https://live } }
        retry: { max_attempts: 9 }
        timeout_seconds: 30
`;

describe('a task in YAML', () => {
  it('has everything that one in TypeScript has', () => {
    const { plan, ...task } = taskOf(TASK);
    expect(task).toMatchObject({
      name: 'sell',
      description: 'Sells.',
      metadata: { owner: null, cost_center: 7 },
      identityStrategy: 'caller_provided',
      site: { file: 't.yml', line: 1, column: 1 },
    });
    expect(plan).toMatchObject({
      name: 'sell',
      namespace: 'shop',
      version: '2.0.1',
      lifecycle: {
        maxDurationMs: 7_200_000,
        maxDependencyWaitMs: 600_000,
        maxRetryWaitMs: 60_000,
        onLimit: 'dead_letter',
        onError: 'wait',
      },
    });
    expect(plan.steps).toMatchObject([
      { name: 'pick', type: 'decision', branches: ['pay', 'cut'] },
      {
        name: 'pay',
        type: 'standard',
        handler: {
          callable: 'charge',
          method: 'refund',
          initialization: { base_url: 'http://test', proxy: null },
        },
        dependencies: ['pick'],
        retry: { maximumAttempts: 5, backoff: 'fibonacci', baseMs: 10, maximumMs: 20 },
        timeoutMs: 1_500,
        resultSchema: { type: 'object', properties: { paid_at: { type: 'string' } } },
        events: [
          { name: 'order.paid', condition: 'always', schema: { additionalProperties: false } },
        ],
      },
      {
        name: 'cut',
        type: 'batchable',
        batch: {
          size: 50,
          parallelism: 4,
          cursorField: 'order_id',
          worker: 'load',
          failureStrategy: 'fail_fast',
        },
      },
      { name: 'load', type: 'batch_worker', dependencies: ['cut'] },
      {
        name: 'agree',
        type: 'approval',
        approval: {
          timeoutMs: 172_800_000,
          onTimeout: 'complete',
          result: { agreed_by: 'nobody' },
        },
      },
    ]);
  });

  it('checks its input by the names that its schema has', () => {
    const { checkInput } = taskOf(TASK);
    expect(checkInput({ order_id: 'a' })).toEqual({ order_id: 'a', item_count: 1 });
    expect(() => checkInput({ orderId: 'a', item_count: 'x' })).toThrow(
      "Property 'order_id' is required; Property 'item_count' expected integer, got \"x\"",
    );
  });

  it('has what an environment changes, where that is chosen', () => {
    const pay = { handler: { callable: 'charge' }, timeoutMs: 30_000 };
    const { lifecycle, steps } = taskOf(TASK, 'production').plan;
    expect(lifecycle).toMatchObject({ maxDurationMs: 10_800_000, onLimit: 'dead_letter' });
    expect(steps[1]).toMatchObject({
      ...pay,
      handler: {
        callable: 'charge',
        method: 'refund',
        initialization: { base_url: 'https://live', proxy: null },
      },
      retry: { maximumAttempts: 9, backoff: 'fibonacci' },
    });
    expect(taskOf(TASK, 'staging').plan).toEqual(taskOf(TASK).plan);
  });

  it('knows where each of its values is written, by the names that code uses', () => {
    const { source } = readTask('t.yml', TASK);
    const place = (...path: (string | number)[]): string => {
      const site = source?.locate(path);
      return `${String(site?.line)}:${String(site?.column)}`;
    };
    expect(place()).toBe('1:1');
    expect(place('identityStrategy')).toBe('6:20');
    expect(place('lifecycle', 'maxWaitForRetry')).toBe('18:23');
    expect(place('steps', 1, 'dependsOn', 0)).toBe('31:18');
    expect(place('steps', 1, 'retry', 'maxAttempts')).toBe('34:21');
    expect(place('steps', 2, 'batchConfig', 'workerTemplate')).toBe('51:24');
    expect(place('environments', 'production', 'steps', 0, 'timeoutSeconds')).toBe('65:26');
  });

  it('takes a key with nothing behind it as one that is not there', () => {
    const { plan } = taskOf(
      [
        'name: a',
        'version:',
        'lifecycle: ~',
        'input_schema:',
        'environments: { production: }',
        'steps:',
        '  - name: pay',
        '    type:',
        '    handler: charge',
        '    depends_on:',
        '    retry: { max_attempts: , backoff: ~ }',
        '    timeout_seconds:',
      ].join('\n'),
    );
    expect(plan).toEqual(taskOf('name: a\nsteps: [{ name: pay, handler: charge }]').plan);
  });

  it('keeps null where a handler, a schema or metadata has it', () => {
    const { plan, metadata } = taskOf(
      [
        'name: a',
        'metadata: { owner: null, list: [null, { deep: null }] }',
        'steps:',
        '  - name: pay',
        '    handler: { callable: charge, initialization: { proxy: { url: null } } }',
        '    result_schema: { const: null }',
        '    publishes_events: [{ name: paid, schema: { const: null } }]',
      ].join('\n'),
    );
    expect(metadata).toEqual({ owner: null, list: [null, { deep: null }] });
    expect(plan.steps[0]).toMatchObject({
      handler: { initialization: { proxy: { url: null } } },
      resultSchema: { const: null },
      events: [{ name: 'paid', schema: { const: null } }],
    });
  });

  it('may repeat a part by an alias', () => {
    const { plan } = taskOf(
      'name: a\nsteps:\n  - { name: x, handler: charge, retry: &often { max_attempts: 9 } }\n  - { name: y, handler: charge, retry: *often }\n',
    );
    expect(plan.steps.map(({ retry }) => retry.maximumAttempts)).toEqual([9, 9]);
  });
});

describe('an unknown key', () => {
  it.each([
    ['descripton: x', '2:1  unknown key "descripton". Did you mean "description"?'],
    [
      'retries: 3',
      '2:1  unknown key "retries". Known: description, domain_events, environments, identity_strategy, input_schema, lifecycle, metadata, name, namespace_name, steps, version.',
    ],
    [
      'identityStrategy: strict',
      '2:1  unknown key "identityStrategy". Did you mean "identity_strategy"?',
    ],
    [
      'lifecycle: { max_duraton: 2h }',
      '2:14  unknown key "max_duraton". Did you mean "max_duration"?',
    ],
    [
      'domain_events: [{ name: paid, descripton: x }]',
      '2:31  unknown key "descripton". Did you mean "description"?',
    ],
    [
      'environments: { production: { stepz: [] } }',
      '2:31  unknown key "stepz". Did you mean "steps"?',
    ],
    [
      'environments: { production: { steps: [{ name: pay, retyr: {} }] } }',
      '2:52  unknown key "retyr". Did you mean "retry"?',
    ],
    [
      'environments: { production: { steps: [{ name: pay, depends_on: [] }] } }',
      '2:52  unknown key "depends_on". Known: approval, batch_config, description, handler, name, publishes_events, result_schema, retry, timeout_seconds.',
    ],
  ])('of a task is told with its place: %s', (line, message) => {
    expect(messagesOf(`name: a\n${line}\nsteps: [{ name: pay, handler: charge }]\n`)).toEqual([
      `t.yml:${message}`,
    ]);
  });

  it.each([
    ['dependson: []', '5:5  step "pay": unknown key "dependson". Did you mean "depends_on"?'],
    [
      'retry: { maxAttempts: 5 }',
      '5:14  step "pay": unknown key "maxAttempts". Did you mean "max_attempts"?',
    ],
    ['retry: { backof: none }', '5:14  step "pay": unknown key "backof". Did you mean "backoff"?'],
    [
      'publishes_events: [{ name: x, conditon: always }]',
      '5:35  step "pay": unknown key "conditon". Did you mean "condition"?',
    ],
  ])('of a step is told with its place: %s', (line, message) => {
    expect(
      messagesOf(`name: a\nsteps:\n  - name: pay\n    handler: charge\n    ${line}\n`),
    ).toEqual([`t.yml:${message}`]);
  });

  it.each([
    [
      '{ name: pay, handler: { calable: charge } }',
      '2:33  step "pay": unknown key "calable". Did you mean "callable"?',
    ],
    [
      '{ name: ok, type: approval, approval: { timeot: 2d } }',
      '2:49  step "ok": unknown key "timeot". Did you mean "timeout"?',
    ],
    [
      '{ name: cut, type: batchable, handler: divide, batch_config: { worker_templat: load } }, { name: load, type: batch_worker, handler: charge, depends_on: [cut] }',
      '2:72  step "cut": unknown key "worker_templat". Did you mean "worker_template"?',
    ],
  ])(
    'is read as the one that was meant, so that nothing else is blamed for it: %s',
    (steps, message) => {
      const { task, messages } = load(`name: a\nsteps: [${steps}]\n`);
      expect(messages).toEqual([`t.yml:${message}`]);
      expect(task).toBeDefined();
    },
  );
});

describe('a value of the wrong kind', () => {
  it.each([
    ['name: 7', "1:7  key 'name' expected string, got number."],
    ['name: a\nversion: 1.0', "2:10  key 'version' expected string, got number."],
    ['name: a\nlifecycle: 2h', "2:12  key 'lifecycle' expected object, got string."],
    ['name: a\nenvironments: [x]', "2:15  key 'environments' expected record, got array."],
  ])('is told with its place, once: %j', (text, message) => {
    expect(messagesOf(`${text}\nsteps: [{ name: pay, handler: charge }]\n`)).toEqual([
      `t.yml:${message}`,
    ]);
  });

  it.each([
    [
      '{ name: pay, handler: 5 }',
      '2:31  step "pay": key \'steps[0].handler\' expected string or object, got number.',
    ],
    [
      '{ name: pay, handler: charge, depends_on: cut }',
      '2:51  step "pay": key \'steps[0].depends_on\' expected array, got string.',
    ],
    [
      '{ name: pay, handler: charge, depends_on: [~] }',
      '2:52  step "pay": key \'steps[0].depends_on[0]\' expected string, got null.',
    ],
    [
      '{ name: pay, handler: charge, retry: 5 }',
      '2:46  step "pay": key \'steps[0].retry\' expected object, got number.',
    ],
    [
      '{ name: pay, handler: charge, retry: { retryable: no } }',
      '2:59  step "pay": key \'steps[0].retry.retryable\' expected boolean, got string.',
    ],
    ['{ name: 5, handler: charge }', "2:17  key 'steps[0].name' expected string, got number."],
  ])('in a step is told with its place, once: %s', (step, message) => {
    expect(messagesOf(`name: a\nsteps: [${step}]\n`)).toEqual([`t.yml:${message}`]);
  });

  it.each(['', '- name: a', 'text', '7'])('is told where there is no task: %j', (text) => {
    expect(messagesOf(text)).toEqual([
      't.yml:1:1  no task is written here. It starts with name: and steps:.',
    ]);
  });

  it('is told where a task has neither name nor steps', () => {
    expect(messagesOf('version: 1.0.0\n')).toEqual([
      't.yml:1:1  task has no name. Give it one: name: "fulfil-order".',
      't.yml:1:1  a task needs steps: a list with at least one of them.',
    ]);
  });

  it('is told where it is not YAML', () => {
    const { source, problems } = readTask('t.yml', 'name: a\nname: b\n');
    expect(source).toBeUndefined();
    expect(problems.map(formatProblem)).toEqual([
      't.yml:2:1  not valid YAML: Map keys must be unique.',
    ]);
  });
});

describe('everything that is wrong with a task', () => {
  it('is told at once, each with line and column', () => {
    expect(
      messagesOf(
        [
          'name: a',
          'identity_strategy: unique',
          'lifecycle: { max_duration: soon }',
          'input_schema: { type: objekt }',
          'steps:',
          '  - name: pay',
          '    handler: chrage',
          '    retyr: { max_attempts: 0 }',
          '    timeout_seconds: -1',
          '  - name: ship',
          '    handler: choose',
          '    depends_on: [pya]',
          '  - name: cut',
          '    type: batchable',
          '    handler: divide',
          '    batch_config: { worker_template: laod, parallelism: 0 }',
          '  - name: ok',
          '    type: approval',
          '    handler: charge',
          '    dependencies: [pay]',
          '    depends_on: [pay]',
          'environments:',
          '  production:',
          '    steps:',
          '      - { name: pay, retry: { max_attempts: 101 } }',
        ].join('\n'),
      ),
    ).toEqual([
      't.yml:8:5  step "pay": unknown key "retyr". Did you mean "retry"?',
      't.yml:2:20  identity_strategy is "unique". Write one of: always_unique, strict, caller_provided.',
      't.yml:3:28  lifecycle.max_duration: "soon" is not a duration. Write a positive number of milliseconds or a string such as "30s", "5 minutes" or "2h".',
      't.yml:4:15  input_schema is no JSON Schema: schema is invalid: data/type must be equal to one of the allowed values, data/type must be array, data/type must match a schema in anyOf.',
      't.yml:8:12  step "pay": retry.max_attempts is 0. Write a whole number from 1 to 100.',
      't.yml:9:22  step "pay": timeout_seconds is -1. Write a number from 0.001 to 604800.',
      't.yml:7:14  step "pay": unknown handler "chrage". Did you mean "charge"?',
      't.yml:11:14  step "ship": handler "choose" is of type decision; a standard step needs one made by defineStepHandler or defineApiHandler.',
      't.yml:16:57  step "cut": batch_config.parallelism is 0. Write a whole number from 1 to 100.',
      't.yml:19:14  step "ok": an approval has no handler: it waits for somebody\'s answer.',
      't.yml:21:17  step "ok": dependencies and depends_on are the same. Write one of them.',
      't.yml:12:18  step "ship": unknown step "pya". Did you mean "pay"?',
      't.yml:16:38  step "cut": worker_template: unknown step "laod". Known: cut, ok, pay, ship.',
      't.yml:25:45  environments.production: step "pay": retry.max_attempts is 101. Write a whole number from 1 to 100.',
    ]);
  });

  it('is told for the way in which its steps depend on each other', () => {
    expect(
      messagesOf(
        [
          'name: a',
          'steps:',
          '  - { name: x, handler: charge, depends_on: [y] }',
          '  - { name: y, handler: charge, depends_on: [z, free] }',
          '  - { name: free, handler: charge }',
          '  - { name: after, handler: charge, depends_on: [x] }',
          '  - { name: z, handler: charge, depends_on: [x] }',
        ].join('\n'),
      ),
    ).toEqual([
      't.yml:3:5  step "x": it depends on itself: x → z → y → x. Take one of these dependencies out.',
    ]);
  });

  it('is told with the name of the task', () => {
    const { problems } = readTask('t.yml', 'name: sell\nstepz: []\n');
    expect(problems).toEqual([
      {
        site: { file: 't.yml', line: 2, column: 1 },
        definition: 'sell',
        message: 'unknown key "stepz". Did you mean "steps"?',
      },
    ]);
  });
});
