import { describe, expect, it } from '@jest/globals';
import type { TaskStep } from '../../../src/task/task.js';
import { CHAIN, History } from './task-history.js';

describe('the progress of a task', () => {
  it('is told from its start over its steps to its end', () => {
    const history = History.of(CHAIN)
      .done('a')
      .scheduled('b')
      .completed('b', {}, 3)
      .take({ type: 'run_completed', result: { status: 'complete', results: { b: 'of b' } } });
    expect(history.lines).toEqual([
      'task_started',
      'step_started a',
      'step_completed a',
      'step_started b',
      'step_completed b',
      'complete',
    ]);
    expect(history.told[0]).toEqual({
      type: 'task_started',
      time: 0,
      data: { task: 'fulfil-order', input_keys: ['order_id'] },
    });
    expect(history.told[4]).toEqual({
      type: 'step_completed',
      time: 5_000,
      data: { step: 'b', duration_ms: 1_000, attempts: 3, handler_version: '1.2.0' },
    });
    expect(history.told[5]?.data).toEqual({
      result: { status: 'complete', results: { b: 'of b' } },
    });
    expect(history.progress.status).toBe('completed');
  });

  it('has all steps in the order of the plan, with what is known of each', () => {
    const history = History.of(CHAIN).done('a');
    expect(history.steps).toEqual([
      {
        name: 'a',
        step: 'a',
        type: 'standard',
        status: 'complete',
        handler: 'work',
        dependencies: [],
        startedAt: 2_000,
        durationMs: 1_000,
        attempts: 1,
        handlerVersion: '1.2.0',
        result: 'of a',
      },
      {
        name: 'b',
        step: 'b',
        type: 'standard',
        status: 'pending',
        handler: 'work',
        dependencies: ['a'],
      },
    ]);
  });

  it('counts the time of a step from when a worker has begun with it', () => {
    const history = History.of(CHAIN).scheduled('a');
    history.take({
      type: 'activity_completed',
      scheduledEventId: 3,
      attempts: 1,
      startedAt: 2_900,
      stepOutcome: { kind: 'step', result: 1, handlerVersion: '1' },
    });
    expect(history.step('a')?.durationMs).toBe(100);
  });

  it('knows no step of activities that are none, such as probes', () => {
    const history = History.of(CHAIN)
      .take({ type: 'activity_scheduled', activityType: 'work' })
      .take({ type: 'activity_completed', scheduledEventId: 3, attempts: 1 });
    expect(history.lines).toEqual(['task_started']);
    expect(history.statuses).toEqual({ a: 'pending', b: 'pending' });
  });

  it('leaves out a result that is too large to be shown, and says how large it is', () => {
    const large = 'x'.repeat(16 * 1024);
    const history = History.of(CHAIN).scheduled('a').completed('a', { result: large });
    expect(history.step('a')).toMatchObject({ status: 'complete', resultBytes: 16 * 1024 + 2 });
    expect(history.step('a')).not.toHaveProperty('result');
    expect(JSON.stringify(history.progress)).not.toContain('xxx');
    const small = History.of(CHAIN)
      .scheduled('a')
      .completed('a', { result: large.slice(2) });
    expect(small.step('a')).not.toHaveProperty('resultBytes');
    expect(small.step('a')?.result).toHaveLength(16 * 1024 - 2);
  });

  it('is over with the run, when that is cancelled, terminated or out of time: so is what runs', () => {
    for (const [event, status] of [
      [{ type: 'run_cancelled' }, 'cancelled'],
      [{ type: 'run_terminated', reason: 'enough' }, 'terminated'],
      [{ type: 'run_timed_out' }, 'timed_out'],
    ] as const) {
      const history = History.of([...CHAIN, { name: 'c' }])
        .done('a')
        .scheduled('b')
        .take(event);
      expect(history.statuses).toEqual({ a: 'complete', b: 'cancelled', c: 'pending' });
      expect(history.lines.slice(-3)).toEqual(['step_cancelled b', 'task_failed', 'error']);
      expect(history.progress.status).toBe(status);
      expect(history.step('b')?.durationMs).toBe(1_000);
    }
  });
});

describe('the progress of a step that fails', () => {
  it('is told with what it has failed of, and what depends on it is blocked', () => {
    const history = History.of(CHAIN).scheduled('a').failed('a', { type: 'CardDeclined' }, 3);
    expect(history.told.at(-1)).toEqual({
      type: 'step_failed',
      time: 3_000,
      data: {
        step: 'a',
        duration_ms: 1_000,
        attempts: 3,
        error: 'a broke',
        type: 'CardDeclined',
      },
    });
    expect(history.step('a')).toMatchObject({
      status: 'error',
      attempts: 3,
      failure: { type: 'CardDeclined', message: 'a broke' },
    });
    expect(history.step('b')?.status).toBe('blocked');
  });

  it('is told once, though the run fails of it', () => {
    const failure = { type: 'Broken', message: 'Step "a" failed', retryable: false, step: 'a' };
    const history = History.of(CHAIN)
      .scheduled('a')
      .failed('a')
      .take({ type: 'run_failed', failure });
    expect(history.lines).toEqual([
      'task_started',
      'step_started a',
      'step_failed a',
      'task_failed',
      'error a',
    ]);
    expect(history.told.at(-2)?.data).toMatchObject({ task: 'fulfil-order', status: 'failed' });
    expect(history.told.at(-1)?.data).toMatchObject({ code: 'Broken', step: 'a' });
    expect(history.step('a')?.failure?.message).toBe('a broke');
  });

  it('is told by the end of the run where nothing could be scheduled', () => {
    const failure = {
      type: 'PayloadLimitExceeded',
      message: 'too large',
      retryable: false,
      step: 'b',
    };
    const history = History.of(CHAIN).done('a').take({ type: 'run_failed', failure });
    expect(history.lines.slice(-3)).toEqual(['step_failed b', 'task_failed', 'error b']);
    expect(history.statuses).toEqual({ a: 'complete', b: 'error' });
  });

  it('goes on after a worker has handed it back, and counts the attempts of both', () => {
    const history = History.of(CHAIN)
      .scheduled('a')
      .failed('a', { type: 'WorkerShutdown', message: 'stops' }, 2);
    expect(history.told.at(-1)).toMatchObject({
      type: 'step_retrying',
      data: { step: 'a', attempt: 2, error: 'stops' },
    });
    expect(history.step('a')?.status).toBe('in_progress');
    history.scheduled('a').completed('a', {}, 2);
    // The attempt that was handed back does not count.
    expect(history.step('a')).toMatchObject({ status: 'complete', attempts: 3 });
    expect(history.lines).toEqual([
      'task_started',
      'step_started a',
      'step_retrying a',
      'step_completed a',
    ]);
  });

  it('waits for a worker that has its handler', () => {
    const history = History.of(CHAIN)
      .scheduled('a')
      .failed('a', { type: 'HandlerNotRegistered', message: 'no handler "work"' });
    expect(history.told.at(-1)).toMatchObject({
      type: 'step_waiting',
      data: { step: 'a', reason: 'no handler "work"' },
    });
    expect(history.step('a')?.status).toBe('in_progress');
    history.scheduled('a').completed('a');
    expect(history.step('a')).toMatchObject({ status: 'complete', attempts: 1 });
  });
});

describe('the progress of a decision', () => {
  const order: readonly TaskStep[] = [
    { name: 'look', type: 'decision' },
    { name: 'small', dependencies: ['look'] },
    { name: 'large', dependencies: ['look'] },
    { name: 'insure', dependencies: ['large'] },
    { name: 'join', type: 'deferred_convergence', dependencies: ['small', 'insure'] },
  ];

  it('tells what it has chosen, and what is left out', () => {
    const history = History.of(order)
      .scheduled('look')
      .completed('look', { branches: ['small'] });
    expect(history.told.slice(-3).map(({ type, data }) => ({ type, data }))).toEqual([
      {
        type: 'step_completed',
        data: {
          step: 'look',
          duration_ms: 1_000,
          attempts: 1,
          handler_version: '1.2.0',
          branches: ['small'],
        },
      },
      { type: 'step_skipped', data: { step: 'large', decision: 'look' } },
      { type: 'step_skipped', data: { step: 'insure', decision: 'look' } },
    ]);
    expect(history.statuses).toEqual({
      look: 'complete',
      small: 'pending',
      large: 'skipped',
      insure: 'skipped',
      join: 'pending',
    });
  });

  it('tells of what is left out once, by the decision that has settled it', () => {
    const history = History.of([
      { name: 'outer', type: 'decision' },
      { name: 'other', type: 'decision' },
      { name: 'x', dependencies: ['outer'] },
      { name: 'y', dependencies: ['other'] },
      { name: 'join', type: 'deferred_convergence', dependencies: ['x', 'y'] },
    ])
      .scheduled('outer', 'other')
      .completed('outer', { branches: [] })
      .completed('other', { branches: [] });
    const skipped = history.told.filter(({ type }) => type === 'step_skipped');
    expect(skipped.map(({ data }) => data)).toEqual([
      { step: 'x', decision: 'outer' },
      { step: 'y', decision: 'other' },
      { step: 'join', decision: 'other' },
    ]);
  });
});
