import { describe, expect, it } from '@jest/globals';
import type { TaskPlan } from '../../../src/task/plan.js';
import { isStepSignal, stepRefusal, takeStepSignal } from '../../../src/task/step-signal.js';
import { TaskSteps } from '../../../src/task/task-steps.js';
import { divide, fail, finish, planOf, ready } from './step-plans.js';

function plan(onError: 'wait' | 'end' = 'wait'): TaskPlan {
  return planOf(
    [
      { name: 'charge' },
      { name: 'sign', type: 'approval' },
      { name: 'ship', dependencies: ['charge', 'sign'] },
      { name: 'look', type: 'decision' },
      { name: 'branch', dependencies: ['look'] },
      {
        name: 'split',
        type: 'batchable',
        batchConfig: { workerTemplate: 'load', failureStrategy: 'isolate' },
      },
      { name: 'load', type: 'batch_worker', dependencies: ['split'] },
    ],
    { onError },
  );
}

function steps(onError: 'wait' | 'end' = 'wait'): TaskSteps {
  return new TaskSteps(plan(onError));
}

describe('what a person tells of a step', () => {
  const refusal = (
    of: TaskSteps,
    kind: 'retry' | 'resolve' | 'answer',
    step: string,
    onError: 'wait' | 'end' = 'wait',
  ): string | undefined => stepRefusal(plan(onError), of, { kind, step });

  it('may retry or resolve what has failed', () => {
    const failed = steps();
    fail(failed, 'charge');
    expect(refusal(failed, 'retry', 'charge')).toBeUndefined();
    expect(refusal(failed, 'resolve', 'charge')).toBeUndefined();
  });

  it('is refused of steps that the task does not have', () => {
    for (const kind of ['retry', 'resolve', 'answer'] as const) {
      expect(refusal(steps(), kind, 'nobody')).toBe('unknown_step');
      // There are no ranges yet.
      expect(refusal(steps(), kind, 'load_001')).toBe('unknown_step');
      expect(refusal(steps(), kind, 'charge_001')).toBe('unknown_step');
    }
  });

  it('is refused of steps that have not failed', () => {
    const some = steps();
    for (const kind of ['retry', 'resolve'] as const) {
      expect(refusal(some, kind, 'charge')).toBe('not_failed');
      expect(refusal(some, kind, 'ship')).toBe('not_failed');
    }
    some.start('charge');
    expect(refusal(some, 'retry', 'charge')).toBe('not_failed');
    some.complete('charge', { result: 1 });
    expect(refusal(some, 'resolve', 'charge')).toBe('not_failed');
    fail(some, 'look');
    expect(refusal(some, 'resolve', 'branch')).toBe('not_failed');
  });

  it('is refused where the task does not wait for anybody when steps have failed', () => {
    const failed = steps('end');
    fail(failed, 'charge');
    for (const kind of ['retry', 'resolve'] as const)
      expect(refusal(failed, kind, 'charge', 'end')).toBe('task_does_not_wait');
  });

  it('may be of one worker of a batch', () => {
    const failed = steps();
    divide(failed, 'split', 2);
    fail(failed, 'load_002');
    expect(refusal(failed, 'retry', 'load_002')).toBeUndefined();
    expect(refusal(failed, 'resolve', 'load_002')).toBeUndefined();
    expect(refusal(failed, 'retry', 'load_001')).toBe('not_failed');
    expect(refusal(failed, 'retry', 'load_003')).toBe('unknown_step');
    expect(refusal(failed, 'answer', 'load_001')).toBe('not_waiting');
  });

  it('may answer an approval while it waits, whatever the task does with failures', () => {
    for (const onError of ['wait', 'end'] as const) {
      const some = steps(onError);
      expect(refusal(some, 'answer', 'sign', onError)).toBe('not_waiting');
      some.start('sign');
      expect(refusal(some, 'answer', 'sign', onError)).toBeUndefined();
      some.complete('sign', { result: null });
      expect(refusal(some, 'answer', 'sign', onError)).toBe('not_waiting');
    }
  });

  it('answers nothing but approvals', () => {
    const some = steps();
    some.start('charge');
    expect(refusal(some, 'answer', 'charge')).toBe('not_waiting');
  });
});

describe('a signal that is taken', () => {
  it('has a failed step begin again', () => {
    const failed = steps();
    fail(failed, 'charge');
    expect(takeStepSignal(plan(), failed, { kind: 'retry', step: 'charge' })).toBe(true);
    expect(failed.of('charge')).toBeUndefined();
    expect(ready(failed)).toContain('charge');
  });

  it('gives a failed step its result', () => {
    const failed = steps();
    fail(failed, 'charge');
    const signal = { kind: 'resolve', step: 'charge', result: { paid: true }, reason: 'cash' };
    expect(takeStepSignal(plan(), failed, { ...signal, kind: 'resolve' })).toBe(true);
    expect(failed.of('charge')).toEqual({ status: 'resolved_manually', result: { paid: true } });
  });

  const byHand = { kind: 'resolve', result: null, reason: 'by hand' } as const;

  it('says which steps come after a decision that has failed', () => {
    const failed = steps();
    fail(failed, 'look');
    for (const branches of [undefined, ['nobody']])
      expect(
        takeStepSignal(plan(), failed, {
          ...byHand,
          step: 'look',
          ...(branches !== undefined && { branches }),
        }),
      ).toBe(false);
    expect(takeStepSignal(plan(), failed, { ...byHand, step: 'look', branches: [] })).toBe(true);
    expect(failed.statusOf('look')).toBe('resolved_manually');
    expect(failed.statusOf('branch')).toBe('skipped');
    const other = steps();
    fail(other, 'look');
    takeStepSignal(plan(), other, { ...byHand, step: 'look', branches: ['branch'] });
    expect(ready(other)).toContain('branch');
  });

  it('says how the work of a batchable step is divided that has failed', () => {
    const failed = steps();
    fail(failed, 'split');
    const twice = [
      { start: 0, end: 5 },
      { start: 4, end: 9 },
    ];
    for (const ranges of [undefined, twice])
      expect(
        takeStepSignal(plan(), failed, {
          ...byHand,
          step: 'split',
          ...(ranges !== undefined && { ranges }),
        }),
      ).toBe(false);
    const ranges = [
      { start: 0, end: 5 },
      { start: 5, end: 9 },
    ];
    expect(takeStepSignal(plan(), failed, { ...byHand, step: 'split', ranges })).toBe(true);
    expect(ready(failed)).toEqual(expect.arrayContaining(['load_001', 'load_002']));
  });

  it('says nothing of what comes next for other steps', () => {
    const failed = steps();
    fail(failed, 'charge');
    expect(takeStepSignal(plan(), failed, { ...byHand, step: 'charge', branches: [] })).toBe(false);
    expect(takeStepSignal(plan(), failed, { ...byHand, step: 'charge', ranges: [] })).toBe(false);
    expect(failed.statusOf('charge')).toBe('error');
  });

  it('completes an approval that is granted', () => {
    const some = steps();
    finish(some, 'charge');
    some.start('sign');
    const signal = { kind: 'answer', step: 'sign', approved: true, result: 'fine' } as const;
    expect(takeStepSignal(plan(), some, signal)).toBe(true);
    expect(some.of('sign')).toEqual({ status: 'complete', result: 'fine' });
    expect(ready(some)).toContain('ship');
  });

  it('fails an approval that is rejected, with what was said', () => {
    const some = steps();
    some.start('sign');
    const signal = { kind: 'answer', step: 'sign', approved: false, result: 'too dear' } as const;
    expect(takeStepSignal(plan(), some, { ...signal, by: 'ada' })).toBe(true);
    expect(some.of('sign')).toEqual({
      status: 'error',
      failure: {
        type: 'ApprovalRejected',
        message: 'It was rejected by ada: too dear',
        retryable: false,
        details: 'too dear',
      },
    });
    expect(some.statusOf('ship')).toBe('blocked');
    const unsigned = steps();
    unsigned.start('sign');
    takeStepSignal(plan(), unsigned, signal);
    expect(unsigned.of('sign')?.failure?.message).toBe('It was rejected: too dear');
    const unexplained = steps();
    unexplained.start('sign');
    takeStepSignal(plan(), unexplained, { ...signal, result: null });
    expect(unexplained.of('sign')?.failure?.message).toBe('It was rejected.');
  });

  it('may have a rejected approval asked for again', () => {
    const some = steps();
    some.start('sign');
    const no = { kind: 'answer', step: 'sign', approved: false, result: null } as const;
    takeStepSignal(plan(), some, no);
    expect(takeStepSignal(plan(), some, { kind: 'retry', step: 'sign' })).toBe(true);
    expect(ready(some)).toContain('sign');
  });

  it('changes nothing where it is refused', () => {
    const some = steps();
    some.start('charge');
    const before = some.state;
    expect(takeStepSignal(plan(), some, { kind: 'retry', step: 'charge' })).toBe(false);
    const answer = { kind: 'answer', step: 'charge', approved: true, result: 1 } as const;
    expect(takeStepSignal(plan(), some, answer)).toBe(false);
    expect(some.state).toEqual(before);
  });
});

describe('what a signal carries', () => {
  it('is known by what every kind needs', () => {
    for (const signal of [
      { kind: 'retry', step: 'a' },
      { kind: 'retry', step: 'a', by: 'ada' },
      { kind: 'resolve', step: 'a', result: null, reason: 'done by hand' },
      { kind: 'resolve', step: 'a', result: null, reason: 'so', branches: ['b'], ranges: [] },
      { kind: 'answer', step: 'a', approved: false, result: {} },
    ])
      expect(isStepSignal(signal)).toBe(true);
  });

  it('is told from anything else that somebody may send', () => {
    for (const other of [
      undefined,
      null,
      'retry',
      ['retry'],
      {},
      { kind: 'retry' },
      { kind: 'retry', step: 7 },
      { kind: 'skip', step: 'a' },
      { step: 'a', result: 1 },
      { kind: 'resolve', step: 'a' },
      { kind: 'answer', step: 'a', approved: true },
      { kind: 'resolve', step: 'a', result: null, reason: 'so', branches: 'b' },
      { kind: 'resolve', step: 'a', result: null, reason: 'so', ranges: [{ start: 1 }] },
    ])
      expect(isStepSignal(other)).toBe(false);
  });
});
