import { describe, expect, it } from '@jest/globals';
import {
  batches,
  branches,
  error,
  isStepError,
  isStepResult,
  noBatches,
  noBranches,
  STEP_ERROR_TYPES,
  success,
} from '../../../src/task/step-result.js';

describe('what a handler returns', () => {
  it('is told from plain data, which is a success as well', () => {
    for (const made of [success(), error({ message: 'no' }), branches([]), batches([])])
      expect(isStepResult(made)).toBe(true);
    for (const plain of [{}, { data: 1, type: 'x' }, null, undefined, 'text', 7, []])
      expect(isStepResult(plain)).toBe(false);
  });

  it('is told across copies of this package', () => {
    expect(isStepResult({ [Symbol.for('millrace.step_result')]: 'success', data: 1 })).toBe(true);
  });

  it('leaves no mark where it is turned into JSON', () => {
    expect(JSON.parse(JSON.stringify(success({ a: 1 })))).toEqual({ data: { a: 1 } });
  });

  it('is a success with what those get that depend on the step', () => {
    expect(success().data).toEqual({});
    expect(success(null).data).toBeNull();
    expect(success([1]).data).toEqual([1]);
    expect(isStepError(success())).toBe(false);
  });

  it('is a choice of steps, which those see that were chosen', () => {
    const { data, branches: chosen } = branches(['large'], { amount: 7 });
    expect(chosen).toEqual(['large']);
    expect(data).toEqual({ amount: 7, branches: ['large'] });
    expect(noBranches({ amount: 1 })).toMatchObject({
      branches: [],
      data: { amount: 1, branches: [] },
    });
  });

  it('is a division of work', () => {
    expect(batches({ total: 5 }, { table: 't' })).toMatchObject({
      ranges: { total: 5 },
      data: { table: 't' },
    });
    expect(batches([{ start: 0, end: 1 }]).ranges).toEqual([{ start: 0, end: 1 }]);
    expect(noBatches()).toMatchObject({ ranges: [], data: {} });
  });
});

describe('an error that a handler returns', () => {
  it('may be tried again unless its type says otherwise', () => {
    const retryable = (type?: string): boolean =>
      error({ message: 'no', ...(type !== undefined && { type }) }).retryable;
    expect(retryable()).toBe(true);
    expect(retryable('CardDeclined')).toBe(true);
    expect(retryable(STEP_ERROR_TYPES.retryable)).toBe(true);
    expect(retryable(STEP_ERROR_TYPES.permanent)).toBe(false);
    expect(retryable(STEP_ERROR_TYPES.validation)).toBe(false);
  });

  it('may be tried again where it says so itself, whatever its type', () => {
    expect(error({ type: 'PermanentError', message: 'no', retryable: true }).retryable).toBe(true);
    expect(error({ message: 'no', retryable: false }).retryable).toBe(false);
  });

  it('says what has happened', () => {
    const failed = error({
      type: 'CardDeclined',
      message: 'no money',
      details: { code: 51 },
      retryAfterMs: 500,
    });
    expect(isStepError(failed)).toBe(true);
    expect(failed).toMatchObject({
      type: 'CardDeclined',
      message: 'no money',
      retryable: true,
      details: { code: 51 },
      retryAfterMs: 500,
    });
    expect(error({ message: 'no' }).type).toBe('UnexpectedError');
  });
});
