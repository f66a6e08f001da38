import { describe, expect, it } from '@jest/globals';
import type { TaskDefinition } from '../../../src/task/task.js';
import { DIVIDER, WORKER, compiled, messages, planOf, STEP } from './compiling.js';

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
            handler: { initialization: { url: 'https://live' } },
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
            { name: 'cut', batchConfig: { parallelism: 2 } },
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
          { name: 'send', handler: { method: 'refnud' }, type: 'decision', retyr: {} },
          5,
        ],
        stepz: [],
      },
    };
    const steps = [STEP, { name: 'send', handler: 'ship' }];
    expect(messages({ steps, environments }, chosen)).toEqual([
      'environments.production.stepz:1  environments.production: unknown key "stepz". Did you mean "steps"?',
      'environments.production.lifecycle.onLimit:1  environments.production: lifecycle.on_limit is "stop". Write one of: fail, dead_letter.',
      'environments.production.steps.0.name:1  environments.production: unknown step "pya". Did you mean "pay"?',
      'environments.production.steps.1.retry.maxAttempts:1  environments.production: step "pay": retry.max_attempts is 0. Write a whole number from 1 to 100.',
      'environments.production.steps.1.handler.callable:1  environments.production: step "pay": unknown handler "chrage". Did you mean "charge"?',
      'environments.production.steps.2.name:1  environments.production: step "pay" is changed before. Write all of it there.',
      'environments.production.steps.3.type:1  environments.production: step "send": unknown key "type". Known: approval, batchConfig, description, handler, name, publishesEvents, resultSchema, retry, timeoutSeconds.',
      'environments.production.steps.3.retyr:1  environments.production: step "send": unknown key "retyr". Did you mean "retry"?',
      'environments.production.steps.3.handler.method:1  environments.production: step "send": handler "ship": unknown method "refnud". Known: run.',
      'environments.production.steps.4:1  environments.production: step 5 has no name of a step.',
    ]);
  });

  it('gives no step what its type does not have', () => {
    const steps = [
      { name: 'pay', batchConfig: { parallelism: 2 }, approval: { timeout: '1m' } },
      { name: 'send', handler: { callable: 'divide' } },
    ];
    const written = [STEP, { name: 'send', handler: 'ship' }];
    expect(messages({ steps: written, environments: { production: { steps } } })).toEqual([
      'environments.production.steps.0.batchConfig:1  environments.production: step "pay": only a batchable step has a batch_config; this one is of type standard.',
      'environments.production.steps.0.approval:1  environments.production: step "pay": only a step of type approval has approval; this one is of type standard.',
      'environments.production.steps.1.handler.callable:1  environments.production: step "send": handler "divide" is of type batchable; a standard step needs one made by defineStepHandler or defineApiHandler.',
    ]);
  });

  it('is refused where all of them are no object', () => {
    expect(messages({ environments: [] })).toEqual([
      'environments:1  environments must be an object: { production: { steps: [ … ] } }.',
    ]);
  });
});

it('called like what every object has changes nothing', () => {
  expect(compiled({ environments: {} }, 'constructor').plan).toEqual(compiled({}).plan);
});
