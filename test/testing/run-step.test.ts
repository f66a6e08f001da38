import { describe, expect, it } from '@jest/globals';
import { permanent } from '../../src/pipeline/permanent.js';
import { defineDecisionHandler, defineStepHandler } from '../../src/task/handler.js';
import { branches, error, success } from '../../src/task/step-result.js';
import { OperationReport } from '../../testing/operation-report.js';
import { runStep } from '../../testing/run-step.js';
import { buildStepContext } from '../../testing/step-context.js';
import { stepMatchers, type StepMatchers } from '../../testing/step-matchers.js';

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends StepMatchers<R> {
    readonly __brand?: T;
  }
}
expect.extend(stepMatchers);

const charge = defineStepHandler({
  name: 'charge',
  run: ({ getTaskField, getDependencyField, getConfig, isLastRetry, log, batch }) => {
    const amount = getTaskField<number>('amount') ?? 0;
    if (amount < 0) throw permanent('less than nothing', { amount }, 'AmountWrong');
    if (amount === 0) return error({ type: 'NothingToDo', message: 'nothing', retryable: false });
    log.info({ amount }, 'charging');
    return success({
      charged: amount * (getConfig<number>('rate') ?? 1),
      checked: getDependencyField<boolean>('check', 'ok') ?? false,
      last: isLastRetry(),
      from: batch?.cursor ?? null,
      nested: { list: [1, 2], more: true },
    });
  },
  methods: { refund: () => ({ refunded: true }) },
});

describe('running a step in a test', () => {
  it('gives a handler what the test says, and its result', async () => {
    const report = new OperationReport();
    const result = await runStep(charge, {
      taskFields: { amount: 5 },
      dependencyResults: { check: { ok: true } },
      config: { rate: 2 },
      range: { start: 10, end: 20 },
      checkpoint: { cursor: 14 },
      attempt: 3,
      report,
    });
    expect(result).toBeSuccess();
    expect(result).not.toBeError();
    expect(result).toHaveResultData({ charged: 10, checked: true, last: true, from: 14 });
    expect(result).toHaveResultData({ nested: { list: [1, 2] } });
    expect(result).not.toHaveResultData({ nested: { list: [1] } });
    expect(report.lines).toEqual([{ level: 'info', fields: { amount: 5 }, message: 'charging' }]);
  });

  it('tells what a handler throws as what it returns as an error', async () => {
    const thrown = await runStep(charge, { taskFields: { amount: -1 } });
    expect(thrown).toBeError('AmountWrong');
    expect(thrown).toMatchObject({ retryable: false, details: { amount: -1 } });
    const returned = await runStep(charge, { taskFields: { amount: 0 } });
    expect(returned).toBeError();
    expect(returned).not.toBeError('AmountWrong');
    expect(returned).not.toBeSuccess();
  });

  it('calls other functions of a handler, and takes plain data for a success', async () => {
    expect(await runStep(charge, { method: 'refund' })).toHaveResultData({ refunded: true });
    expect(await runStep(charge, { method: 'nothing' })).toBeError('StepResultInvalid');
  });

  it('shows what a decision has chosen', async () => {
    const route = defineDecisionHandler({ name: 'route', run: () => branches(['a']) });
    expect(await runStep(route)).toMatchObject({ branches: ['a'] });
  });

  it('says why a matcher does not match', async () => {
    const result = await runStep(charge, { taskFields: { amount: 0 } });
    expect(() => {
      expect(result).toBeSuccess();
    }).toThrow('it is an error of type NothingToDo: nothing');
    expect(() => {
      expect({ data: 1 }).toBeSuccess();
    }).toThrow('it is no result of a step: {"data":1}');
  });

  it('makes a context by itself, for handlers that are called directly', () => {
    const { getInput, getAllDependencyResults, checkpointYield } = buildStepContext({
      stepInputs: { batch_id: '007' },
      dependencyResults: { load_001: 1, load_002: 2, check: 3 },
    });
    expect(getInput('batch_id')).toBe('007');
    expect(getAllDependencyResults('load_')).toEqual([
      { name: 'load_001', step: 'load', result: 1 },
      { name: 'load_002', step: 'load', result: 2 },
    ]);
    checkpointYield({ cursor: 3 });
  });
});
