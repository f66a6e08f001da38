import { describe, expect, it } from '@jest/globals';
import type { FailureStrategy } from '../../../src/task/plan.js';
import type { TaskStep } from '../../../src/task/task.js';
import { History } from './task-history.js';

function batch(failureStrategy: FailureStrategy): readonly TaskStep[] {
  return [
    { name: 'split', type: 'batchable', batchConfig: { workerTemplate: 'load', failureStrategy } },
    { name: 'load', type: 'batch_worker', dependencies: ['split'] },
    { name: 'report', dependencies: ['load'] },
  ];
}

const THREE = {
  ranges: [
    { start: 0, end: 10 },
    { start: 10, end: 20 },
    { start: 20, end: 25 },
  ],
};

describe('the progress of a batch', () => {
  it('has one that stands for its workers before its ranges are known, and then each', () => {
    const history = History.of(batch('isolate')).scheduled('split');
    expect(history.statuses).toEqual({
      split: 'in_progress',
      load: 'pending',
      report: 'pending',
    });
    history.completed('split', THREE);
    expect(history.told.at(-1)?.data).toMatchObject({ step: 'split', batches: 3 });
    expect(history.statuses).toEqual({
      split: 'complete',
      load_001: 'pending',
      load_002: 'pending',
      load_003: 'pending',
      report: 'pending',
    });
    history.done('load_002');
    expect(history.step('load_002')).toMatchObject({
      step: 'load',
      type: 'batch_worker',
      status: 'complete',
      result: 'of load_002',
    });
  });

  it('goes on where workers fail, if it is to', () => {
    const history = History.of(batch('continue_on_failure'))
      .scheduled('split')
      .completed('split', THREE)
      .scheduled('load_001', 'load_002', 'load_003')
      .failed('load_001')
      .completed('load_002')
      .completed('load_003');
    expect(history.statuses).toMatchObject({ load_001: 'error', report: 'pending' });
    history.done('report');
    expect(history.lines).not.toContain('step_cancelled load_002');
  });

  it('tells of those that are stopped when one fails that all depend on', () => {
    const history = History.of(batch('fail_fast'))
      .scheduled('split')
      .completed('split', THREE)
      .scheduled('load_001', 'load_002')
      .failed('load_001')
      .letGo('load_002');
    expect(history.lines.slice(-2)).toEqual(['step_failed load_001', 'step_cancelled load_002']);
    expect(history.statuses).toEqual({
      split: 'complete',
      load_001: 'error',
      load_002: 'cancelled',
      load_003: 'cancelled',
      report: 'blocked',
    });
    expect(history.step('load_002')?.durationMs).toBe(2_000);
  });

  it('does not look at what becomes of workers that were stopped', () => {
    const history = History.of(batch('fail_fast'))
      .scheduled('split')
      .completed('split', THREE)
      .scheduled('load_001', 'load_002', 'load_003')
      .failed('load_001')
      .letGo('load_002', 'load_003');
    const { length } = history.told;
    history.failed('load_002').completed('load_003');
    expect(history.told).toHaveLength(length);
    expect(history.statuses).toMatchObject({ load_002: 'cancelled', load_003: 'cancelled' });
  });

  it('counts a worker that was done before it could be stopped', () => {
    const history = History.of(batch('fail_fast'))
      .scheduled('split')
      .completed('split', THREE)
      .scheduled('load_001', 'load_002', 'load_003')
      .failed('load_001')
      .completed('load_002')
      .letGo('load_003');
    expect(history.statuses).toMatchObject({ load_002: 'complete', load_003: 'cancelled' });
  });

  it('does not take the late end of a worker that was stopped for that of the one that follows it', () => {
    const history = History.of(batch('fail_fast'), { onError: 'wait' })
      .scheduled('split')
      .completed('split', THREE)
      .scheduled('load_001', 'load_002');
    const failure = { type: 'Broken', message: 'late', retryable: false };
    history.failed('load_001').letGo('load_002');
    history.signalled({ kind: 'retry', step: 'load_001' }).scheduled('load_001', 'load_002');
    // Of the first one that ran.
    history.take({ type: 'activity_failed', scheduledEventId: 6, attempts: 1, failure });
    expect(history.statuses).toMatchObject({ load_001: 'in_progress', load_002: 'in_progress' });
    history.completed('load_002');
    expect(history.statuses).toMatchObject({ load_002: 'complete' });
  });

  it('begins again with what was stopped when the failed worker is retried', () => {
    const history = History.of(batch('fail_fast'), { onError: 'wait' })
      .scheduled('split')
      .completed('split', THREE)
      .scheduled('load_001', 'load_002')
      .failed('load_001')
      .letGo('load_002')
      .signalled({ kind: 'retry', step: 'load_001' });
    expect(history.statuses).toMatchObject({
      load_001: 'pending',
      load_002: 'pending',
      load_003: 'pending',
      report: 'pending',
    });
    history.done('load_001', 'load_002', 'load_003', 'report');
    expect(history.statuses).toMatchObject({ load_002: 'complete', report: 'complete' });
  });
});
