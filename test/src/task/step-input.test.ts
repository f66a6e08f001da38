import { describe, expect, it } from '@jest/globals';
import { TASK_DEFAULTS } from '../../../src/task/limits.js';
import {
  inputActivityId,
  isStepInput,
  stepInput,
  stepTaskOf,
} from '../../../src/task/step-input.js';
import { stepActivityId, type StepTask } from '../../../src/task/step-outcome.js';

const PLAIN: StepTask = {
  task: 'orders',
  namespace: TASK_DEFAULTS.namespace,
  version: TASK_DEFAULTS.version,
  name: 'check',
  step: {
    name: 'check',
    type: 'standard',
    handler: { callable: 'check_stock' },
    retry: TASK_DEFAULTS.retry,
  },
  fields: {},
  dependencies: [],
};

const WORKER: StepTask = {
  ...PLAIN,
  name: 'load_007',
  step: { ...PLAIN.step, name: 'load', type: 'batch_worker' },
  dependencies: [{ name: 'split', step: 'split', result: {} }],
  range: { id: '007', start: 600, end: 700 },
  cursorField: 'row',
};

const FULL: StepTask = {
  task: 'orders',
  namespace: 'shop',
  version: '2.1.0',
  name: 'choose',
  step: {
    name: 'choose',
    type: 'decision',
    handler: { callable: 'choose', method: 'again', initialization: { limit: 10 } },
    retry: { ...TASK_DEFAULTS.retry, maximumAttempts: 5 },
    resultSchema: { type: 'object' },
    branches: ['small', 'large'],
    events: [{ name: 'order.chosen', condition: 'success' }],
  },
  fields: { id: 'A-1' },
  dependencies: [
    { name: 'load_001', step: 'load', result: 1 },
    { name: 'load_002', step: 'load', failure: { type: 'E', message: 'no', retryable: false } },
  ],
  maxRetryWaitMs: 5_000,
  principal: 'ada',
  handedBack: { attempts: 2, checkpoint: { cursor: 3 } },
};

const back = (task: StepTask): StepTask => {
  // What history keeps is text.
  const input: unknown = JSON.parse(JSON.stringify(stepInput(task)));
  if (!isStepInput(input, stepActivityId(task.name, 0, 0))) throw new Error('not an input');
  return stepTaskOf(input, { task: task.task, callable: task.step.handler?.callable ?? '' });
};

describe('the input of a step', () => {
  it.each([
    ['a plain step', PLAIN],
    ['a worker of a batch', WORKER],
    ['one that says everything', FULL],
    ['a batchable step', { ...PLAIN, step: { ...PLAIN.step, type: 'batchable', batchSize: 10 } }],
    ['a probe', { ...PLAIN, probe: true }],
  ] satisfies readonly (readonly [string, StepTask])[])('of %s says all of it', (_what, task) => {
    expect(back(task)).toEqual(task);
  });

  it('says nothing that its activity knows, or that is as in most tasks', () => {
    expect(stepInput(PLAIN)).toEqual({ name: 'check' });
    expect(stepInput(WORKER)).toEqual({
      name: 'load_007',
      step: 'load',
      range: { id: '007', start: 600, end: 700 },
      cursorField: 'row',
      dependencies: [{ name: 'split', result: {} }],
    });
  });

  it('is known by the id of its activity, also that of a probe', () => {
    const id = stepActivityId('check', 1, 2);
    const input = stepInput(PLAIN);
    expect(isStepInput(input, id)).toBe(true);
    expect(isStepInput(input, inputActivityId(id, { probe: true }))).toBe(true);
    for (const [other, otherId] of [
      [input, stepActivityId('other', 0, 0)],
      [input, '17'],
      [{ name: 17 }, id],
      [{}, id],
      [null, id],
      ['check', id],
    ] as const)
      expect(isStepInput(other, otherId)).toBe(false);
  });
});
