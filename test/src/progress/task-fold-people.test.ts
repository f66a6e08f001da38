import { describe, expect, it } from '@jest/globals';
import type { TaskStep } from '../../../src/task/task.js';
import { CHAIN, History } from './task-history.js';

describe('the progress of a step that somebody takes care of', () => {
  const wait = { onError: 'wait' } as const;

  it('is told when it is retried, and its attempts are counted anew', () => {
    const history = History.of(CHAIN, wait)
      .scheduled('a')
      .failed('a', {}, 3)
      .signalled({ kind: 'retry', step: 'a', by: 'ada' });
    expect(history.told.at(-1)).toMatchObject({
      type: 'step_retried',
      data: { step: 'a', by: 'ada' },
    });
    expect(history.step('a')?.status).toBe('pending');
    expect(history.step('a')).not.toHaveProperty('failure');
    history.scheduled('a').completed('a', {}, 2);
    expect(history.step('a')).toMatchObject({ status: 'complete', attempts: 2 });
    expect(history.lines.slice(-3)).toEqual([
      'step_retried a',
      'step_started a',
      'step_completed a',
    ]);
  });

  it('is told when it is resolved, with by whom and why', () => {
    const history = History.of(CHAIN, wait)
      .scheduled('a')
      .failed('a', {}, 3)
      .signalled({ kind: 'resolve', step: 'a', result: 7, reason: 'paid in cash', by: 'ada' });
    expect(history.told.at(-1)).toEqual({
      type: 'step_resolved',
      time: 4_000,
      data: { step: 'a', by: 'ada', reason: 'paid in cash' },
    });
    expect(history.step('a')).toMatchObject({
      status: 'resolved_manually',
      result: 7,
      by: 'ada',
      reason: 'paid in cash',
      attempts: 3,
    });
    expect(history.step('b')?.status).toBe('pending');
  });

  it('does not change where nobody is to take care of it', () => {
    const history = History.of(CHAIN).scheduled('a').failed('a');
    const { length } = history.told;
    history.signalled({ kind: 'retry', step: 'a' });
    history.signalled({ kind: 'retry', step: 'nobody' });
    expect(history.told).toHaveLength(length);
    expect(history.statuses).toEqual({ a: 'error', b: 'blocked' });
  });
});

describe('the progress of an approval', () => {
  const order: readonly TaskStep[] = [
    { name: 'pack' },
    { name: 'sign', type: 'approval', dependencies: ['pack'], approval: { timeout: '1h' } },
    { name: 'ship', dependencies: ['sign'] },
  ];

  it('begins when those are done that it depends on', () => {
    const history = History.of(order).scheduled('pack');
    expect(history.step('sign')?.status).toBe('pending');
    history.completed('pack');
    expect(history.lines.slice(-2)).toEqual(['step_completed pack', 'approval_requested sign']);
    expect(history.step('sign')).toEqual({
      name: 'sign',
      step: 'sign',
      type: 'approval',
      status: 'in_progress',
      dependencies: ['pack'],
      startedAt: 3_000,
    });
  });

  it('begins with the run where it depends on nothing, and once', () => {
    const history = History.of([{ name: 'sign', type: 'approval' }, { name: 'other' }]);
    expect(history.lines).toEqual(['task_started', 'approval_requested sign']);
    history.done('other');
    expect(history.lines.filter((line) => line === 'approval_requested sign')).toHaveLength(1);
  });

  it('begins only where a decision has chosen it', () => {
    const choice: readonly TaskStep[] = [
      { name: 'look', type: 'decision' },
      { name: 'sign', type: 'approval', dependencies: ['look'] },
      { name: 'ship', dependencies: ['look'] },
    ];
    const chosen = History.of(choice)
      .scheduled('look')
      .completed('look', { branches: ['sign'] });
    expect(chosen.statuses).toMatchObject({ sign: 'in_progress', ship: 'skipped' });
    const not = History.of(choice)
      .scheduled('look')
      .completed('look', { branches: ['ship'] });
    expect(not.lines).not.toContain('approval_requested sign');
    expect(not.statuses).toMatchObject({ sign: 'skipped', ship: 'pending' });
  });

  it('completes when it is granted', () => {
    const history = History.of(order)
      .done('pack')
      .signalled({ kind: 'answer', step: 'sign', approved: true, result: { ok: 1 }, by: 'ada' });
    expect(history.told.at(-1)).toEqual({
      type: 'step_completed',
      time: 4_000,
      data: { step: 'sign', by: 'ada', duration_ms: 1_000 },
    });
    expect(history.step('sign')).toMatchObject({
      status: 'complete',
      result: { ok: 1 },
      by: 'ada',
      durationMs: 1_000,
    });
  });

  it('fails when it is rejected, and may be asked for again', () => {
    const history = History.of(order, { onError: 'wait' })
      .done('pack')
      .signalled({ kind: 'answer', step: 'sign', approved: false, result: 'no', by: 'ada' });
    expect(history.told.at(-1)?.data).toEqual({
      step: 'sign',
      by: 'ada',
      error: 'It was rejected by ada: no',
      type: 'ApprovalRejected',
    });
    expect(history.statuses).toMatchObject({ sign: 'error', ship: 'blocked' });
    history.signalled({ kind: 'retry', step: 'sign' });
    expect(history.lines.slice(-2)).toEqual(['step_retried sign', 'approval_requested sign']);
    expect(history.step('sign')).toMatchObject({ status: 'in_progress', startedAt: 5_000 });
    expect(history.step('sign')).not.toHaveProperty('by');
  });

  it('takes no answer before it begins, nor a second one', () => {
    const yes = { kind: 'answer', step: 'sign', approved: true, result: 1 } as const;
    const history = History.of(order).scheduled('pack').signalled(yes);
    expect(history.step('sign')?.status).toBe('pending');
    history
      .completed('pack')
      .signalled(yes)
      .signalled({ ...yes, approved: false });
    expect(history.step('sign')).toMatchObject({ status: 'complete', result: 1 });
    expect(history.lines.filter((line) => line.endsWith(' sign'))).toEqual([
      'approval_requested sign',
      'step_completed sign',
    ]);
  });

  it('fails when nobody answers in its time', () => {
    const history = History.of(order)
      .done('pack')
      .take({ type: 'approval_timed_out', step: 'sign' });
    expect(history.told.at(-1)?.data).toEqual({
      step: 'sign',
      error: 'Nobody has answered within 3600000 ms.',
      type: 'ApprovalTimeout',
    });
    expect(history.step('sign')).toMatchObject({ status: 'error', durationMs: 1_000 });
  });

  it('completes when nobody answers, if it is to', () => {
    const history = History.of([
      {
        name: 'sign',
        type: 'approval',
        approval: { timeout: '1h', onTimeout: 'complete', result: 'granted' },
      },
      { name: 'again', type: 'approval', dependencies: ['sign'] },
    ]).take({ type: 'approval_timed_out', step: 'sign' });
    expect(history.lines.slice(-2)).toEqual(['step_completed sign', 'approval_requested again']);
    expect(history.step('sign')).toMatchObject({ status: 'complete', result: 'granted' });
  });

  it('is not changed by a time that is over after the answer', () => {
    const history = History.of(order)
      .done('pack')
      .signalled({ kind: 'answer', step: 'sign', approved: true, result: 1 });
    const { length } = history.told;
    history.take({ type: 'approval_timed_out', step: 'sign' });
    history.take({ type: 'approval_timed_out', step: 'nobody' });
    expect(history.told).toHaveLength(length);
    expect(history.step('sign')?.status).toBe('complete');
  });
});
