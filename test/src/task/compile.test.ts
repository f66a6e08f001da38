import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ContractViolation } from '../../../src/contract/violation.js';
import type { JsonObject } from '../../../src/definition/json.js';
import { formatProblem } from '../../../src/definition/problem.js';
import { compileTask, type CompiledTask } from '../../../src/task/compile.js';
import {
  defineApiHandler,
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
  type StepHandler,
} from '../../../src/task/handler.js';
import type { StepPlan } from '../../../src/task/plan.js';
import { batches, branches, success } from '../../../src/task/step-result.js';
import { defineTask, type TaskDefinition } from '../../../src/task/task.js';

const charge = defineStepHandler({
  name: 'charge',
  run: () => success({}),
  methods: { refund: () => success({}) },
});
const HANDLERS: readonly StepHandler[] = [
  charge,
  defineStepHandler({ name: 'ship', run: () => success({}) }),
  defineApiHandler({
    name: 'rates',
    baseUrl: 'https://rates.example',
    run: () => success({}),
  }),
  defineDecisionHandler({ name: 'choose', run: () => branches([]) }),
  defineBatchableHandler({ name: 'divide', run: () => batches({ total: 1 }) }),
];

const STEP = { name: 'pay', handler: 'charge' } as const;
const CHOICE = { name: 'pick', type: 'decision', handler: 'choose' } as const;
const DIVIDER = {
  name: 'cut',
  type: 'batchable',
  handler: 'divide',
  batchConfig: { workerTemplate: 'load' },
} as const;
const WORKER = {
  name: 'load',
  type: 'batch_worker',
  handler: 'ship',
  dependencies: ['cut'],
} as const;

/** Compiles a task whose places are the paths themselves. */
function compile(written: object, environment?: string): ReturnType<typeof compileTask> {
  // What people write in JavaScript need not be what the types say.
  const definition = defineTask({ name: 't', steps: [STEP], ...written } as TaskDefinition);
  return compileTask(
    { definition, locate: (path) => ({ file: path.join('.'), line: 1 }) },
    {
      handlers: new Map(HANDLERS.map((handler) => [handler.name, handler])),
      ...(environment !== undefined && { environment }),
    },
  );
}

/** What is wrong with a task of these parts, as a person reads it. */
function messages(written: object, environment?: string): readonly string[] {
  return compile(written, environment).problems.map(formatProblem);
}

/** What is wrong with a task of these steps. */
function wrong(...steps: readonly unknown[]): readonly string[] {
  return messages({ steps });
}

/** The task with these parts, which is expected to be right. */
function compiled(written: Partial<TaskDefinition>, environment?: string): CompiledTask {
  const { task, problems } = compile(written, environment);
  if (task === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return task;
}

/** The plan of one step of it. */
function planOf(
  name: string,
  written: Partial<TaskDefinition>,
  environment?: string,
): StepPlan | undefined {
  return compiled(written, environment).plan.steps.find((step) => step.name === name);
}

/** The violations that an input causes, in words. */
function refusal(task: CompiledTask, input: JsonObject): string {
  try {
    task.checkInput(input);
  } catch (error) {
    if (error instanceof ContractViolation) return error.message;
    throw error;
  }
  return 'none';
}

describe('a task', () => {
  it('becomes a plan of plain JSON with what holds where nothing is set', () => {
    const { plan, ...task } = compiled({});
    expect(plan).toEqual({
      kind: 'task',
      interpreter: 1,
      name: 't',
      namespace: 'default',
      version: '1.0.0',
      lifecycle: { maxDurationMs: 24 * 60 * 60_000, onLimit: 'fail', onError: 'end' },
      steps: [
        {
          name: 'pay',
          type: 'standard',
          handler: { callable: 'charge' },
          dependencies: [],
          retry: { maximumAttempts: 3, backoff: 'exponential', baseMs: 1_000, maximumMs: 30_000 },
        },
      ],
    });
    expect(task).toMatchObject({
      kind: 'task',
      name: 't',
      identityStrategy: 'always_unique',
      inputSchema: { type: 'object' },
    });
    expect(task).not.toHaveProperty('description');
    expect(task).not.toHaveProperty('metadata');
  });

  it('becomes a plan with everything that decides what a run does', () => {
    const { plan, ...task } = compiled({
      namespaceName: 'shop',
      version: '2.1.0',
      description: 'Sells.',
      metadata: { owner: 'sales' },
      identityStrategy: 'strict',
      domainEvents: [{ name: 'paid' }],
      steps: [
        {
          name: 'pay',
          description: 'Takes the money.',
          handler: { callable: charge, method: 'refund', initialization: { currency: 'EUR' } },
          retry: { maxAttempts: 5, backoff: 'linear', backoffBaseMs: 10, maxBackoffMs: 20 },
          timeoutSeconds: 0.0015,
          resultSchema: { type: 'object' },
          publishesEvents: [
            { name: 'paid', schema: {} },
            { name: 'late', condition: 'failure' },
          ],
        },
        {
          name: 'agree',
          type: 'approval',
          dependencies: ['pay'],
          approval: { timeout: '2h', onTimeout: 'complete', result: { agreed: false } },
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(plan).toMatchObject({ namespace: 'shop', version: '2.1.0' });
    expect(plan.steps).toEqual([
      {
        name: 'pay',
        type: 'standard',
        handler: { callable: 'charge', method: 'refund', initialization: { currency: 'EUR' } },
        dependencies: [],
        retry: { maximumAttempts: 5, backoff: 'linear', baseMs: 10, maximumMs: 20 },
        timeoutMs: 2,
        resultSchema: { type: 'object' },
        events: [
          { name: 'paid', condition: 'success', schema: {} },
          { name: 'late', condition: 'failure' },
        ],
      },
      {
        name: 'agree',
        type: 'approval',
        dependencies: ['pay'],
        retry: { maximumAttempts: 3, backoff: 'exponential', baseMs: 1_000, maximumMs: 30_000 },
        approval: { timeoutMs: 7_200_000, onTimeout: 'complete', result: { agreed: false } },
      },
    ]);
    expect(task).toMatchObject({
      description: 'Sells.',
      metadata: { owner: 'sales' },
      identityStrategy: 'strict',
    });
  });

  it('has its steps in the order in which they can be run', () => {
    const steps = [
      { name: 'last', handler: 'ship', dependsOn: ['mid', 'pay'] },
      { name: 'mid', handler: 'ship', dependencies: ['pay'] },
      STEP,
    ];
    const { plan } = compiled({ steps });
    expect(plan.steps.map(({ name, dependencies }) => [name, dependencies])).toEqual([
      ['pay', []],
      ['mid', ['pay']],
      ['last', ['mid', 'pay']],
    ]);
  });

  it('names a step once among those that another depends on', () => {
    const last = { name: 'last', handler: 'ship', dependsOn: ['pay', 'pay'] };
    expect(planOf('last', { steps: [STEP, last] })?.dependencies).toEqual(['pay']);
  });

  it('gives the same hash for the same plan and another one for another', () => {
    expect(compiled({}).planHash).toBe(compiled({ description: 'Sells.' }).planHash);
    expect(compiled({}).planHash).not.toBe(compiled({ version: '1.0.1' }).planHash);
  });

  it.each(['always_unique', 'strict', 'caller_provided'] as const)(
    'may tell tasks apart by the strategy %s',
    (identityStrategy) => {
      expect(compiled({ identityStrategy }).identityStrategy).toBe(identityStrategy);
    },
  );
});

describe('a step', () => {
  it('that is not retryable is tried once, whatever else is said', () => {
    const retry = { retryable: false, maxAttempts: 5 };
    expect(planOf('pay', { steps: [{ ...STEP, retry }] })?.retry.maximumAttempts).toBe(1);
  });

  it('may have its handler as an object', () => {
    expect(planOf('pay', { steps: [{ name: 'pay', handler: charge }] })?.handler).toEqual({
      callable: 'charge',
    });
  });

  it('that names the method run has the same plan as one that names none', () => {
    const handler = { callable: 'charge', method: 'run' };
    expect(compiled({ steps: [{ ...STEP, handler }] }).planHash).toBe(compiled({}).planHash);
  });

  it('of a choice has those that it may choose in its plan', () => {
    const steps = [
      CHOICE,
      { ...STEP, dependencies: ['pick'] },
      { name: 'send', handler: 'rates', dependencies: ['pick'] },
      {
        name: 'end',
        type: 'deferred_convergence',
        handler: 'ship',
        dependencies: ['pick', 'pay', 'send'],
      },
    ] as const;
    expect(planOf('pick', { steps })?.branches).toEqual(['pay', 'send']);
  });

  it('that divides work has what holds where nothing is set', () => {
    expect(planOf('cut', { steps: [DIVIDER, WORKER] })?.batch).toEqual({
      size: 1_000,
      parallelism: 10,
      worker: 'load',
      failureStrategy: 'continue_on_failure',
    });
  });

  it('that divides work has what is set', () => {
    const batchConfig = {
      workerTemplate: 'load',
      batchSize: 5,
      parallelism: 100,
      cursorField: 'id',
      failureStrategy: 'isolate',
    } as const;
    expect(planOf('cut', { steps: [{ ...DIVIDER, batchConfig }, WORKER] })?.batch).toEqual({
      size: 5,
      parallelism: 100,
      cursorField: 'id',
      worker: 'load',
      failureStrategy: 'isolate',
    });
  });

  it('that somebody answers waits for a day and fails then', () => {
    expect(planOf('agree', { steps: [{ name: 'agree', type: 'approval' }] })?.approval).toEqual({
      timeoutMs: 24 * 60 * 60_000,
      onTimeout: 'fail',
    });
  });

  it.each([
    ['standard', 'charge'],
    ['standard', 'rates'],
    ['batch_worker', 'rates'],
    ['deferred_convergence', 'rates'],
  ] as const)('of type %s may run the handler %s', (type, handler) => {
    const worker = { name: 'load', type, handler, dependencies: ['cut'] } as const;
    const first = type === 'batch_worker' ? DIVIDER : { ...STEP, name: 'cut' };
    expect(planOf('load', { steps: [first, worker] })?.handler).toEqual({ callable: handler });
  });
});

describe('the limits of a task', () => {
  it('are durations, in milliseconds in the plan', () => {
    const lifecycle = {
      maxDuration: '2h',
      maxWaitForDependencies: '1m',
      maxWaitForRetry: 1_500,
      onLimit: 'dead_letter',
      onError: 'wait',
    } as const;
    expect(compiled({ lifecycle }).plan.lifecycle).toEqual({
      maxDurationMs: 7_200_000,
      maxDependencyWaitMs: 60_000,
      maxRetryWaitMs: 1_500,
      onLimit: 'dead_letter',
      onError: 'wait',
    });
  });

  it('are refused where they are none', () => {
    const lifecycle = { maxDuration: 'soon', maxWaitForRetry: -1, onLimit: 'stop', onError: 'go' };
    const hint =
      'is not a duration. Write a positive number of milliseconds or a string such as "30s", "5 minutes" or "2h".';
    expect(messages({ lifecycle })).toEqual([
      `lifecycle.maxDuration:1  lifecycle.max_duration: "soon" ${hint}`,
      `lifecycle.maxWaitForRetry:1  lifecycle.max_wait_for_retry: -1 ${hint}`,
      'lifecycle.onLimit:1  lifecycle.on_limit is "stop". Write one of: fail, dead_letter.',
      'lifecycle.onError:1  lifecycle.on_error is "go". Write one of: end, wait.',
    ]);
  });

  it('are warned of where seconds were probably meant', () => {
    expect(messages({ lifecycle: { maxDuration: 30 } })).toEqual([
      "lifecycle.maxDuration:1  warning:  lifecycle.max_duration: 30 is 30 milliseconds. Did you mean '30s'?",
    ]);
    expect(compiled({ lifecycle: { maxDuration: 30 } }).plan.lifecycle.maxDurationMs).toBe(30);
  });
});

describe('the input of a task', () => {
  const SCHEMA: JsonObject = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['order'],
    properties: {
      order: { type: 'string' },
      count: { type: 'integer', minimum: 1, default: 3 },
      size: { enum: ['small', 'large'] },
      tags: { type: 'array', items: { type: 'string' } },
    },
    additionalProperties: false,
  };
  const TYPES = z.object({ order: z.string(), count: z.int().default(3) });

  it('is anything where nothing is said', () => {
    expect(compiled({}).checkInput({ order: 7 })).toEqual({ order: 7 });
  });

  it('may be described by JSON Schema, whose defaults are filled in', () => {
    const { inputSchema, checkInput } = compiled({ inputSchema: SCHEMA });
    const { $schema: _, ...described } = SCHEMA;
    expect(inputSchema).toEqual(described);
    const given = { order: 'a' };
    expect(checkInput(given)).toEqual({ order: 'a', count: 3 });
    expect(given).toEqual({ order: 'a' });
  });

  it('is refused with each property that is not as JSON Schema says', () => {
    const task = compiled({ inputSchema: SCHEMA });
    expect(refusal(task, { count: 0, size: 'huge', tags: ['a', 7], ordr: 'a' })).toBe(
      [
        "Property 'order' is required",
        "Property 'ordr' is not part of the contract",
        "Property 'count' must be >= 1, got 0",
        'Property \'size\' expected one of "small", "large", got "huge"',
        "Property 'tags[1]' expected string, got 7",
      ].join('; '),
    );
    expect(refusal(task, { order: 'b' })).toBe('none');
  });

  it('may be described by zod, whose defaults are filled in', () => {
    const { inputSchema, checkInput } = compiled({ inputSchema: TYPES });
    expect(inputSchema).toMatchObject({
      type: 'object',
      required: ['order'],
      properties: { order: { type: 'string' }, count: { type: 'integer', default: 3 } },
    });
    expect(checkInput({ order: 'a' })).toEqual({ order: 'a', count: 3 });
  });

  it('is refused with each property that is not as zod says', () => {
    expect(refusal(compiled({ inputSchema: TYPES }), { count: 'many' })).toBe(
      "Property 'order' expected string, got undefined; Property 'count' expected number, got string",
    );
  });

  it.each<[string, TaskDefinition['inputSchema']]>([
    ['nothing', undefined],
    ['JSON Schema', { type: 'object' }],
  ])('has no property of the one name that none can have, with %s', (_kind, inputSchema) => {
    const task = compiled(inputSchema === undefined ? {} : { inputSchema });
    // What a request carries is read by JSON.parse, which makes such a property.
    const input = JSON.parse('{ "order": { "__proto__": { "admin": true } } }') as JsonObject;
    expect(refusal(task, input)).toBe(
      "Property 'order.__proto__' is not allowed: no property can be called __proto__",
    );
  });

  it.each<[unknown, string]>([
    [
      { type: 'objekt' },
      'input_schema is no JSON Schema: schema is invalid: data/type must be equal to one of the allowed values, data/type must be array, data/type must match a schema in anyOf.',
    ],
    [
      { $ref: '#/$defs/nowhere' },
      "input_schema is no JSON Schema: can't resolve reference #/$defs/nowhere from id #.",
    ],
  ])('is refused where its schema is none: %j', (inputSchema, message) => {
    expect(messages({ inputSchema })).toEqual([`inputSchema:1  ${message}`]);
  });

  it('is refused where zod describes what JSON cannot carry', () => {
    expect(messages({ inputSchema: z.object({ at: z.date() }) })).toEqual([
      "inputSchema.at:1  inputSchema: 'at' is z.date(), which JSON cannot carry. Write z.iso.datetime() for a text, or z.coerce.date() for a Date made of it.",
    ]);
  });
});

describe('an environment', () => {
  const WRITTEN: Partial<TaskDefinition> = {
    lifecycle: { maxDuration: '2h', onError: 'wait' },
    steps: [
      {
        name: 'pay',
        handler: { callable: 'charge', initialization: { url: 'http://test', currency: 'EUR' } },
        retry: { maxAttempts: 2, backoff: 'linear' },
        timeoutSeconds: 1,
      },
      { name: 'send', handler: 'ship', dependencies: ['pay'] },
    ],
    environments: {
      production: {
        lifecycle: { maxDuration: '3h' },
        steps: [
          {
            name: 'pay',
            handler: { initialization: { url: 'https://live' } } as never,
            retry: { maxAttempts: 9 },
            timeoutSeconds: 5,
          },
        ],
      },
      staging: { steps: [{ name: 'send', handler: 'rates' }] },
    },
  };

  it('changes what it names, and nothing else', () => {
    const { plan } = compiled(WRITTEN, 'production');
    expect(plan.lifecycle).toEqual({
      maxDurationMs: 3 * 60 * 60_000,
      onLimit: 'fail',
      onError: 'wait',
    });
    expect(plan.steps).toMatchObject([
      {
        name: 'pay',
        handler: {
          callable: 'charge',
          initialization: { url: 'https://live', currency: 'EUR' },
        },
        retry: { maximumAttempts: 9, backoff: 'linear' },
        timeoutMs: 5_000,
      },
      { name: 'send', handler: { callable: 'ship' }, dependencies: ['pay'] },
    ]);
  });

  it.each([undefined, 'development'])('that is not the chosen one changes nothing: %s', (other) => {
    const { environments: _, ...rest } = WRITTEN;
    expect(compiled(WRITTEN, other).plan).toEqual(compiled(rest).plan);
  });

  it('may have another handler run a step', () => {
    const { plan } = compiled(WRITTEN, 'staging');
    expect(plan.steps.map(({ handler }) => handler?.callable)).toEqual(['charge', 'rates']);
    expect(plan.lifecycle.maxDurationMs).toBe(2 * 60 * 60_000);
  });

  it('may change how the work of a batch is divided, and how long somebody is waited for', () => {
    const written: Partial<TaskDefinition> = {
      steps: [
        { ...DIVIDER, batchConfig: { workerTemplate: 'load', batchSize: 7 } },
        WORKER,
        { name: 'agree', type: 'approval', approval: { onTimeout: 'complete', result: 1 } },
      ],
      environments: {
        production: {
          steps: [
            { name: 'cut', batchConfig: { workerTemplate: 'load', parallelism: 2 } },
            { name: 'agree', approval: { timeout: '1m' } },
          ],
        },
      },
    };
    expect(planOf('cut', written, 'production')?.batch).toMatchObject({
      size: 7,
      parallelism: 2,
      worker: 'load',
    });
    expect(planOf('agree', written, 'production')?.approval).toEqual({
      timeoutMs: 60_000,
      onTimeout: 'complete',
      result: 1,
    });
  });

  it.each([undefined, 'production', 'staging'])('is told of, whichever is chosen: %s', (chosen) => {
    const environments = {
      production: {
        lifecycle: { onLimit: 'stop' },
        steps: [
          { name: 'pya' },
          { name: 'pay', handler: { callable: 'chrage' }, retry: { maxAttempts: 0 } },
          { name: 'pay', handler: { method: 'refnud' } },
        ],
        stepz: [],
      },
    };
    expect(messages({ environments }, chosen)).toEqual([
      'environments.production.stepz:1  environments.production: unknown key "stepz". Did you mean "steps"?',
      'environments.production.lifecycle.onLimit:1  lifecycle.on_limit is "stop". Write one of: fail, dead_letter.',
      'environments.production.steps.0.name:1  environments.production: unknown step "pya". Did you mean "pay"?',
      'environments.production.steps.1.retry.maxAttempts:1  environments.production: step "pay": retry.max_attempts is 0. Write a whole number from 1 to 100.',
      'environments.production.steps.1.handler.callable:1  environments.production: step "pay": unknown handler "chrage". Did you mean "charge"?',
      'environments.production.steps.2.handler.method:1  environments.production: step "pay": handler "charge": unknown method "refnud". Did you mean "refund"?',
    ]);
  });

  it('gives no step what its type does not have', () => {
    const steps = [
      { name: 'pay', batchConfig: { parallelism: 2 }, approval: { timeout: '1m' } },
      { name: 'pay', handler: { callable: 'divide' } },
    ];
    expect(messages({ environments: { production: { steps } } })).toEqual([
      'environments.production.steps.0.batchConfig:1  environments.production: step "pay": only a batchable step has a batch_config; this one is of type standard.',
      'environments.production.steps.0.approval:1  environments.production: step "pay": only a step of type approval has approval; this one is of type standard.',
      'environments.production.steps.1.handler.callable:1  environments.production: step "pay": handler "divide" is of type batchable; a standard step needs one made by defineStepHandler or defineApiHandler.',
    ]);
  });

  it('is refused where all of them are no object', () => {
    expect(messages({ environments: [] })).toEqual([
      'environments:1  environments must be an object: { production: { steps: [ … ] } }.',
    ]);
  });
});

describe('what is wrong with a task', () => {
  it.each<[object, string]>([
    [{ name: undefined }, 'name:1  task has no name. Give it one: name: "fulfil-order".'],
    [
      { name: 'a b' },
      'name:1  task is called "a b"; a name starts with a letter and holds letters, digits, "-", "_" and "." only.',
    ],
    [{ stepz: [] }, 'stepz:1  unknown key "stepz". Did you mean "steps"?'],
    [
      { identityStrategy: 'unique' },
      'identityStrategy:1  identity_strategy is "unique". Write one of: always_unique, strict, caller_provided.',
    ],
    [{ namespaceName: 7 }, 'namespaceName:1  namespace_name must be a text.'],
    [{ version: 2 }, 'version:1  version must be a text.'],
    [{ metadata: [] }, 'metadata:1  metadata must be an object.'],
    [
      { domainEvents: {} },
      'domainEvents:1  domain_events must be a list of { name, description, schema }.',
    ],
    [
      { lifecycle: '2h' },
      'lifecycle:1  lifecycle must be an object, such as { max_duration: 2h }.',
    ],
    [
      { lifecycle: { maxDuraton: '2h' } },
      'lifecycle.maxDuraton:1  lifecycle: unknown key "maxDuraton". Did you mean "maxDuration"?',
    ],
    [{ steps: undefined }, 'steps:1  a task needs steps: a list with at least one of them.'],
    [{ steps: [] }, 'steps:1  a task needs steps: a list with at least one of them.'],
    [{ steps: STEP }, 'steps:1  a task needs steps: a list with at least one of them.'],
  ])('is told: %j', (written, message) => {
    expect(messages(written)).toEqual([message]);
    expect(compile(written).task).toBeUndefined();
  });

  it('is told where there are more than 200 steps', () => {
    const steps = (count: number): readonly object[] =>
      Array.from({ length: count }, (_, at) => ({ ...STEP, name: `s${String(at)}` }));
    expect(wrong(...steps(200))).toEqual([]);
    expect(wrong(...steps(201))).toEqual([
      'steps:1  there are 201 steps; the most is 200 (steps).',
    ]);
  });

  it('is told where its plan is too large', () => {
    const initialization = { text: 'x'.repeat(300_000) };
    const [message] = wrong({ ...STEP, handler: { callable: 'charge', initialization } });
    expect(message).toMatch(
      /^:1 {2}its plan has \d+ bytes; the most is 262144 \(maxPlanBytes\)\. Move what initialization and schemas hold into files or services\.$/,
    );
  });
});

describe('what is wrong with a step', () => {
  it.each<[object, string]>([
    [{ retyr: {} }, 'retyr:1  step "pay": unknown key "retyr". Did you mean "retry"?'],
    [
      { type: 'batch' },
      'type:1  step "pay": type is "batch". Write one of: standard, decision, batchable, batch_worker, deferred_convergence, approval.',
    ],
    [{ description: 7 }, 'description:1  step "pay": description must be a text.'],
    [{ retry: 5 }, 'retry:1  step "pay": retry must be an object, such as { max_attempts: 5 }.'],
    [
      { retry: { maxAttempt: 5 } },
      'retry.maxAttempt:1  step "pay": retry: unknown key "maxAttempt". Did you mean "maxAttempts"?',
    ],
    [
      { retry: { retryable: 'no' } },
      'retry.retryable:1  step "pay": retry.retryable must be true or false.',
    ],
    [
      { retry: { maxAttempts: 0 } },
      'retry.maxAttempts:1  step "pay": retry.max_attempts is 0. Write a whole number from 1 to 100.',
    ],
    [
      { retry: { maxAttempts: 101 } },
      'retry.maxAttempts:1  step "pay": retry.max_attempts is 101. Write a whole number from 1 to 100.',
    ],
    [
      { retry: { maxAttempts: 1.5 } },
      'retry.maxAttempts:1  step "pay": retry.max_attempts is 1.5. Write a whole number from 1 to 100.',
    ],
    [
      { retry: { backoff: 'random' } },
      'retry.backoff:1  step "pay": retry.backoff is "random". Write one of: none, linear, exponential, fibonacci.',
    ],
    [
      { retry: { backoffBaseMs: '1s' } },
      'retry.backoffBaseMs:1  step "pay": retry.backoff_base_ms is "1s". Write a whole number from 0 to 604800000.',
    ],
    [
      { retry: { maxBackoffMs: -1 } },
      'retry.maxBackoffMs:1  step "pay": retry.max_backoff_ms is -1. Write a whole number from 0 to 604800000.',
    ],
    [
      { timeoutSeconds: -1 },
      'timeoutSeconds:1  step "pay": timeout_seconds is -1. Write a number from 0.001 to 604800.',
    ],
    [
      { timeoutSeconds: 0 },
      'timeoutSeconds:1  step "pay": timeout_seconds is 0. Write a number from 0.001 to 604800.',
    ],
    [
      { resultSchema: 'object' },
      'resultSchema:1  step "pay": result_schema must be JSON Schema: an object such as { type: object }.',
    ],
    [
      { resultSchema: { $ref: '#/$defs/nowhere' } },
      'resultSchema:1  step "pay": result_schema is no JSON Schema: can\'t resolve reference #/$defs/nowhere from id #.',
    ],
    [
      { publishesEvents: 'paid' },
      'publishesEvents:1  step "pay": publishes_events must be a list.',
    ],
    [
      { publishesEvents: [{ condition: 'success' }] },
      'publishesEvents.0.name:1  step "pay": publishes_events: an event needs a name, such as payment.charged.',
    ],
    [
      { publishesEvents: [{ name: 'paid', conditon: 'success' }] },
      'publishesEvents.0.conditon:1  step "pay": publishes_events: unknown key "conditon". Did you mean "condition"?',
    ],
    [
      { publishesEvents: [{ name: 'paid' }, { name: 'late', condition: 'late' }] },
      'publishesEvents.1.condition:1  step "pay": publishes_events: condition is "late". Write one of: success, failure, retryable_failure, permanent_failure, always.',
    ],
    [
      { batchConfig: { workerTemplate: 'pay' } },
      'batchConfig:1  step "pay": only a batchable step has a batch_config; this one is of type standard.',
    ],
    [
      { approval: {} },
      'approval:1  step "pay": only a step of type approval has approval; this one is of type standard.',
    ],
    [
      { dependencies: 'other' },
      'dependencies:1  step "pay": dependencies must be a list of names of steps.',
    ],
  ])('is told: %j', (written, message) => {
    expect(wrong({ ...STEP, ...written })).toEqual([`steps.0.${message}`]);
  });

  it('is told where it has no name, or that of another', () => {
    const rule = 'a step needs a name of letters, digits, "_" and "-" that starts with a letter.';
    expect(wrong({ handler: 'charge' }, { ...STEP, name: '1st' })).toEqual([
      `steps.0.name:1  step 1: ${rule}`,
      `steps.1.name:1  step "1st": ${rule}`,
    ]);
    expect(wrong(STEP, STEP)).toEqual([
      'steps.1.name:1  step "pay": there is a step of this name before. Give each its own.',
    ]);
    expect(wrong(STEP, null)).toEqual(['steps.1:1  step 2 is none. Write { name, handler }.']);
  });

  it('is told where it depends on steps that there are not', () => {
    const last = { name: 'last', handler: 'ship' };
    expect(wrong(STEP, { ...last, dependencies: ['pya', 'pay', 'elsewhere'] })).toEqual([
      'steps.1.dependencies.0:1  step "last": unknown step "pya". Did you mean "pay"?',
      'steps.1.dependencies.2:1  step "last": unknown step "elsewhere". Known: last, pay.',
    ]);
    expect(wrong(STEP, { ...last, dependsOn: ['pya'] })).toEqual([
      'steps.1.dependsOn.0:1  step "last": unknown step "pya". Did you mean "pay"?',
    ]);
  });

  it('is told where what comes before it is said twice', () => {
    const last = { name: 'last', handler: 'ship', dependencies: ['pay'], dependsOn: ['pay'] };
    expect(wrong(STEP, last)).toEqual([
      'steps.1.dependsOn:1  step "last": dependencies and depends_on are the same. Write one of them.',
    ]);
  });

  it('is told where it depends on itself', () => {
    expect(
      wrong(
        STEP,
        { name: 'a', handler: 'ship', dependsOn: ['b'] },
        {
          name: 'b',
          handler: 'ship',
          dependsOn: ['a', 'pay'],
        },
      ),
    ).toEqual([
      'steps.1:1  step "a": it depends on itself: a → b → a. Take one of these dependencies out.',
    ]);
  });

  it('is told where nothing follows from a decision', () => {
    expect(wrong(CHOICE)).toEqual([
      'steps.0:1  step "pick": no step depends on this decision, so that it has nothing to choose from.',
    ]);
  });

  it('is only a warning where branches come together without a convergence', () => {
    const steps = [
      CHOICE,
      { name: 'a', handler: 'ship', dependsOn: ['pick'] },
      { name: 'b', handler: 'ship', dependsOn: ['pick'] },
      { name: 'c', handler: 'ship', dependsOn: ['a', 'b'] },
    ];
    expect(wrong(...steps)).toEqual([
      'steps.3:1  warning:  step "c": it needs "a" and "b", and is left out unless "pick" chooses all of them. To run it after those that are chosen, write type: deferred_convergence.',
    ]);
    expect(compiled({ steps }).plan.steps).toHaveLength(4);
  });
});

describe('what is wrong with the handler of a step', () => {
  it.each<[unknown, string]>([
    [
      undefined,
      'handler:1  step "pay": it has no handler. Write handler: process_payment, the name of one of handlers/.',
    ],
    [
      '',
      'handler:1  step "pay": it has no handler. Write handler: process_payment, the name of one of handlers/.',
    ],
    [
      { method: 'refund' },
      'handler.callable:1  step "pay": it has no handler. Write handler: process_payment, the name of one of handlers/.',
    ],
    ['chrage', 'handler:1  step "pay": unknown handler "chrage". Did you mean "charge"?'],
    [
      { callable: 'paint' },
      'handler.callable:1  step "pay": unknown handler "paint". Known: charge, choose, divide, rates, ship.',
    ],
    [
      { callable: 'charge', metod: 'refund' },
      'handler.metod:1  step "pay": handler: unknown key "metod". Did you mean "method"?',
    ],
    [
      { callable: 'charge', method: 'refnud' },
      'handler.method:1  step "pay": handler "charge": unknown method "refnud". Did you mean "refund"?',
    ],
    [
      { callable: 'charge', method: 'toString' },
      'handler.method:1  step "pay": handler "charge": unknown method "toString". Known: refund, run.',
    ],
    [
      { callable: 'charge', initialization: 'EUR' },
      'handler.initialization:1  step "pay": handler.initialization must be an object.',
    ],
  ])('is told: %j', (handler, message) => {
    expect(wrong({ name: 'pay', handler })).toEqual([`steps.0.${message}`]);
  });

  it('is told where it is not made for steps of this type', () => {
    const fit = 'one made by defineStepHandler or defineApiHandler.';
    expect(
      wrong(
        { ...STEP, handler: 'choose' },
        { ...CHOICE, handler: { callable: 'charge' } },
        { ...DIVIDER, handler: 'rates', dependsOn: ['pick'] },
        { ...WORKER, handler: 'divide' },
        { name: 'end', type: 'deferred_convergence', handler: 'choose', dependsOn: ['load'] },
      ),
    ).toEqual([
      `steps.0.handler:1  step "pay": handler "choose" is of type decision; a standard step needs ${fit}`,
      'steps.1.handler.callable:1  step "pick": handler "charge" is of type base; a decision step needs one made by defineDecisionHandler.',
      'steps.2.handler:1  step "cut": handler "rates" is of type api; a batchable step needs one made by defineBatchableHandler.',
      `steps.3.handler:1  step "load": handler "divide" is of type batchable; a batch_worker step needs ${fit}`,
      `steps.4.handler:1  step "end": handler "choose" is of type decision; a deferred_convergence step needs ${fit}`,
    ]);
  });

  it('is told where somebody answers the step', () => {
    expect(wrong({ name: 'agree', type: 'approval', handler: 'charge' })).toEqual([
      'steps.0.handler:1  step "agree": an approval has no handler: it waits for somebody\'s answer.',
    ]);
  });
});

describe('what is wrong with an approval', () => {
  it.each<[unknown, string]>([
    [7, 'approval:1  step "agree": approval must be an object, such as { timeout: 2d }.'],
    [
      { timeot: '2d' },
      'approval.timeot:1  step "agree": approval: unknown key "timeot". Did you mean "timeout"?',
    ],
    [
      { timeout: 'never' },
      'approval.timeout:1  step "agree": approval.timeout: "never" is not a duration. Write a positive number of milliseconds or a string such as "30s", "5 minutes" or "2h".',
    ],
    [
      { onTimeout: 'ask' },
      'approval.onTimeout:1  step "agree": approval.on_timeout is "ask". Write one of: fail, complete.',
    ],
  ])('is told: %j', (approval, message) => {
    expect(wrong({ name: 'agree', type: 'approval', approval })).toEqual([`steps.0.${message}`]);
  });
});

describe('what is wrong with a batch', () => {
  it.each<[object, string]>([
    [
      { batchSize: 0 },
      'batchSize:1  step "cut": batch_config.batch_size is 0. Write a whole number from 1 to 1000000000.',
    ],
    [
      { parallelism: 0 },
      'parallelism:1  step "cut": batch_config.parallelism is 0. Write a whole number from 1 to 100.',
    ],
    [
      { parallelism: 101 },
      'parallelism:1  step "cut": batch_config.parallelism is 101. Write a whole number from 1 to 100.',
    ],
    [
      { failureStrategy: 'ignore' },
      'failureStrategy:1  step "cut": batch_config.failure_strategy is "ignore". Write one of: continue_on_failure, fail_fast, isolate.',
    ],
    [{ cursorField: 7 }, 'cursorField:1  step "cut": batch_config.cursor_field must be a text.'],
    [
      { paralelism: 2 },
      'paralelism:1  step "cut": batch_config: unknown key "paralelism". Did you mean "parallelism"?',
    ],
  ])('is told: %j', (written, message) => {
    const divider = { ...DIVIDER, batchConfig: { workerTemplate: 'load', ...written } };
    expect(wrong(divider, WORKER)).toEqual([`steps.0.batchConfig.${message}`]);
  });

  it('is told where it has no worker', () => {
    const { batchConfig: _, ...divider } = DIVIDER;
    expect(wrong(divider)).toEqual([
      'steps.0.batchConfig:1  step "cut": a batchable step needs batch_config: { worker_template: load_rows }.',
    ]);
  });

  it('is told where its worker is no step', () => {
    const divider = { ...DIVIDER, batchConfig: { workerTemplate: 'laod' } };
    expect(wrong(divider, { ...STEP, name: 'load' })).toEqual([
      'steps.0.batchConfig.workerTemplate:1  step "cut": worker_template: unknown step "laod". Did you mean "load"?',
    ]);
  });

  it('is told where its worker is of another type, or does not come after it', () => {
    expect(wrong(DIVIDER, { ...STEP, name: 'load', dependencies: ['cut'] })).toEqual([
      'steps.0:1  step "cut": its worker_template "load" is of type standard. It must be a batch_worker.',
    ]);
    expect(wrong(DIVIDER, { ...WORKER, dependencies: [] })).toEqual([
      'steps.1:1  step "load": it works on the ranges of "cut" and must depend on it. Write depends_on: [cut].',
    ]);
  });

  it('is told where nothing divides work for a worker', () => {
    expect(wrong({ ...STEP, name: 'cut' }, WORKER)).toEqual([
      'steps.1:1  step "load": it is never run: no batchable step names it as worker_template. Write batch_config: { worker_template: load } there.',
    ]);
  });
});

describe('all that is wrong', () => {
  it('is told at once, each at its own place', () => {
    expect(
      messages({
        identityStrategy: 'unique',
        lifecycle: { onLimit: 'stop' },
        inputSchema: { type: 'objekt' },
        steps: [
          { name: 'a', handler: 'chrage', retry: { maxAttempts: 0 } },
          { ...CHOICE, dependencies: ['z'] },
          { ...STEP, timeoutSeconds: -1 },
        ],
        environments: { production: { steps: [{ name: 'pay', retry: { backoff: 'x' } }] } },
      }).map((message) => message.split('  ')[0]),
    ).toEqual([
      'identityStrategy:1',
      'lifecycle.onLimit:1',
      'inputSchema:1',
      'steps.0.retry.maxAttempts:1',
      'steps.0.handler:1',
      'steps.2.timeoutSeconds:1',
      'steps.1.dependencies.0:1',
      'steps.1:1',
      'environments.production.steps.0.retry.backoff:1',
    ]);
  });
});
