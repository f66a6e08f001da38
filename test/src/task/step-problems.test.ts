import { describe, expect, it } from '@jest/globals';
import { CHOICE, DIVIDER, STEP, WORKER, wrong } from './compiling.js';

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
