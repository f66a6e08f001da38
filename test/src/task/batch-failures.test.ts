import { describe, expect, it } from '@jest/globals';
import type { TaskStep } from '../../../src/task/task.js';
import { TaskSteps } from '../../../src/task/task-steps.js';
import { batchPlan, divide, fail, finish, ready, taskOf } from './step-plans.js';

describe('a batch', () => {
  describe('that goes on where workers fail (continue_on_failure)', () => {
    it('runs the other workers and then what depends on it, which sees the failures', () => {
      const plan = batchPlan('continue_on_failure', 1);
      const steps = new TaskSteps(plan);
      divide(steps, 'split', 2);
      fail(steps, 'load_001', 'bad row');
      expect(steps.toBeCancelled).toEqual([]);
      expect(steps.statusOf('report')).toBe('pending');
      expect(ready(steps)).toEqual(['load_002']);
      finish(steps, 'load_002');
      expect(ready(steps)).toEqual(['report']);
      const report = plan.steps.find(({ name }) => name === 'report');
      expect(report && steps.dependenciesOf(report)).toEqual([
        {
          name: 'load_001',
          step: 'load',
          failure: { type: 'Broken', message: 'bad row', retryable: false },
        },
        { name: 'load_002', step: 'load', result: 'of load_002' },
      ]);
      finish(steps, 'report');
      expect(steps.failed).toEqual([]);
      expect(steps.end).toBe('complete');
    });

    it('lets the task complete even where all of its workers have failed', () => {
      const steps = new TaskSteps(batchPlan('continue_on_failure'));
      divide(steps, 'split', 2);
      fail(steps, 'load_001');
      fail(steps, 'load_002');
      finish(steps, 'report');
      expect(steps.end).toBe('complete');
      expect(steps.statusOf('load_002')).toBe('error');
    });
  });

  describe('that stops where a worker fails (fail_fast)', () => {
    function failed(): TaskSteps {
      const steps = new TaskSteps(batchPlan('fail_fast', 3));
      divide(steps, 'split', 5);
      finish(steps, 'load_001');
      steps.start('load_002');
      steps.start('load_003');
      fail(steps, 'load_004');
      return steps;
    }

    it('has those stopped that run, and begins no others', () => {
      const steps = failed();
      expect(steps.toBeCancelled.map(({ name }) => name)).toEqual(['load_002', 'load_003']);
      expect(ready(steps)).toEqual([]);
      expect(steps.statusOf('load_005')).toBe('cancelled');
      expect(steps.end).toBeUndefined();
    });

    it('has failed once those are stopped, and blocks what depends on it', () => {
      const steps = failed();
      steps.cancel('load_002');
      expect(steps.toBeCancelled.map(({ name }) => name)).toEqual(['load_003']);
      expect(steps.end).toBeUndefined();
      // It was done before it could be stopped.
      steps.complete('load_003', { result: 3 });
      expect(steps.toBeCancelled).toEqual([]);
      expect(steps.statusOf('load_002')).toBe('cancelled');
      expect(steps.statusOf('load_003')).toBe('complete');
      expect(steps.statusOf('report')).toBe('blocked');
      expect(steps.failed.map(({ name }) => name)).toEqual(['load_004']);
      expect(steps.end).toBe('error');
    });

    it('does not stop workers of other batches', () => {
      const steps = taskOf(
        ...(['a', 'b'] as const).flatMap((name): readonly TaskStep[] => [
          {
            name: `split_${name}`,
            type: 'batchable',
            batchConfig: { workerTemplate: `load_${name}`, failureStrategy: 'fail_fast' },
          },
          { name: `load_${name}`, type: 'batch_worker', dependencies: [`split_${name}`] },
        ]),
      );
      divide(steps, 'split_a', 2);
      divide(steps, 'split_b', 2);
      steps.start('load_a_001');
      steps.start('load_b_001');
      fail(steps, 'load_a_002');
      expect(steps.toBeCancelled.map(({ name }) => name)).toEqual(['load_a_001']);
      expect(ready(steps)).toEqual(['load_b_002']);
    });

    it('goes on with all that were stopped when the failed one is retried', () => {
      const steps = failed();
      steps.cancel('load_002');
      steps.cancel('load_003');
      steps.retry('load_004');
      expect(ready(steps)).toEqual(['load_002', 'load_003', 'load_004']);
      expect(steps.statusOf('load_005')).toBe('pending');
      finish(steps, 'load_002', 'load_003', 'load_004', 'load_005');
      expect(ready(steps)).toEqual(['report']);
    });

    it('goes on with all that have failed when one of them is retried', () => {
      const steps = failed();
      fail(steps, 'load_002');
      steps.cancel('load_003');
      steps.retry('load_004');
      expect(ready(steps)).toEqual(['load_002', 'load_003', 'load_004']);
    });

    it('goes on with what was stopped when the one that has failed is resolved', () => {
      const steps = failed();
      steps.cancel('load_002');
      steps.cancel('load_003');
      steps.resolve('load_004', { result: 4 });
      expect(ready(steps)).toEqual(['load_002', 'load_003', 'load_005']);
      expect(steps.end).toBeUndefined();
      finish(steps, 'load_002', 'load_003', 'load_005', 'report');
      expect(steps.end).toBe('resolved_manually');
    });
  });

  describe('that keeps failures apart (isolate)', () => {
    it('goes on with the other workers, and keeps back what depends on it', () => {
      const steps = new TaskSteps(batchPlan('isolate', 1));
      divide(steps, 'split', 3);
      fail(steps, 'load_001');
      expect(steps.toBeCancelled).toEqual([]);
      expect(ready(steps)).toEqual(['load_002']);
      finish(steps, 'load_002', 'load_003');
      expect(steps.statusOf('report')).toBe('blocked');
      expect(steps.end).toBe('error');
      expect(steps.failed.map(({ name }) => name)).toEqual(['load_001']);
    });

    it('lets it go on when the failed worker is retried', () => {
      const steps = new TaskSteps(batchPlan('isolate'));
      divide(steps, 'split', 2);
      fail(steps, 'load_001');
      finish(steps, 'load_002');
      steps.retry('load_001');
      expect(ready(steps)).toEqual(['load_001']);
      expect(steps.statusOf('load_002')).toBe('complete');
      finish(steps, 'load_001');
      expect(ready(steps)).toEqual(['report']);
      finish(steps, 'report');
      expect(steps.end).toBe('complete');
    });

    it('lets it go on when the failed worker is resolved', () => {
      const plan = batchPlan('isolate');
      const steps = new TaskSteps(plan);
      divide(steps, 'split', 2);
      fail(steps, 'load_001');
      finish(steps, 'load_002');
      steps.resolve('load_001', { result: { rows: 0 } });
      expect(ready(steps)).toEqual(['report']);
      const report = plan.steps.find(({ name }) => name === 'report');
      expect(report && steps.dependenciesOf(report)[0]).toEqual({
        name: 'load_001',
        step: 'load',
        result: { rows: 0 },
      });
      finish(steps, 'report');
      expect(steps.end).toBe('resolved_manually');
    });
  });
});
