import { describe, expect, it } from '@jest/globals';
import { CHOICE, DIVIDER, STEP, WORKER, charge, compiled, messages, planOf } from './compiling.js';

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
      domainEvents: [
        { name: 'paid', schema: { type: 'object' } },
        { name: 'late', schema: { type: 'object' } },
      ],
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
          { name: 'late', condition: 'failure', schema: { type: 'object' } },
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
