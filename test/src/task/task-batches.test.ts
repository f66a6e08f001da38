import { describe, expect, it } from '@jest/globals';
import type { BatchRange } from '../../../src/task/step-outcome.js';
import { TaskSteps } from '../../../src/task/task-steps.js';
import { batchPlan, choose, divide, fail, finish, ready, taskOf } from './step-plans.js';

describe('a batch', () => {
  it('has one that stands for its workers before its ranges are known, and lets nothing start that depends on them', () => {
    const steps = new TaskSteps(batchPlan('continue_on_failure'));
    expect(steps.instances.map(({ name }) => name)).toEqual(['split', 'load', 'report']);
    expect(steps.statusOf('load')).toBe('pending');
    expect(ready(steps)).toEqual(['split']);
    steps.start('split');
    expect(ready(steps)).toEqual([]);
    expect(steps.end).toBeUndefined();
  });

  it('has a worker for each range, named by its number', () => {
    const steps = new TaskSteps(batchPlan('continue_on_failure'));
    steps.start('split');
    const ranges: readonly BatchRange[] = [
      { start: 0, end: 5 },
      { start: 5, end: 7 },
    ];
    steps.complete('split', { result: {}, ranges });
    expect(steps.ready.map(({ name, range, step }) => ({ name, range, step: step.name }))).toEqual([
      { name: 'load_001', range: { id: '001', start: 0, end: 5 }, step: 'load' },
      { name: 'load_002', range: { id: '002', start: 5, end: 7 }, step: 'load' },
    ]);
    expect(steps.statusOf('load_002')).toBe('pending');
  });

  it('counts its workers on beyond three digits', () => {
    const steps = new TaskSteps(batchPlan('continue_on_failure', 100));
    divide(steps, 'split', 1_000);
    const names = steps.instances.map(({ name }) => name);
    expect(names.slice(-3)).toEqual(['load_999', 'load_1000', 'report']);
    expect(steps.statusOf('load_1000')).toBe('pending');
    expect(ready(steps)).toHaveLength(100);
  });

  it('runs no more workers at once than it may', () => {
    const steps = new TaskSteps(batchPlan('continue_on_failure', 2));
    divide(steps, 'split', 5);
    expect(ready(steps)).toEqual(['load_001', 'load_002']);
    steps.start('load_001');
    expect(ready(steps)).toEqual(['load_002']);
    steps.start('load_002');
    expect(ready(steps)).toEqual([]);
    steps.complete('load_002', { result: 2 });
    expect(ready(steps)).toEqual(['load_003']);
    steps.start('load_003');
    steps.fail('load_001', { type: 'Broken', message: 'broke', retryable: false });
    expect(ready(steps)).toEqual(['load_004']);
  });

  it('is done when all of its workers are', () => {
    const steps = new TaskSteps(batchPlan('isolate'));
    divide(steps, 'split', 3);
    finish(steps, 'load_003', 'load_001');
    expect(ready(steps)).toEqual(['load_002']);
    expect(steps.statusOf('report')).toBe('pending');
    finish(steps, 'load_002');
    expect(ready(steps)).toEqual(['report']);
  });

  it('gives those that depend on it what each worker has given, in the order of the ranges', () => {
    const plan = batchPlan('isolate');
    const steps = new TaskSteps(plan);
    divide(steps, 'split', 2);
    finish(steps, 'load_002', 'load_001');
    const report = plan.steps.find(({ name }) => name === 'report');
    expect(report && steps.dependenciesOf(report)).toEqual([
      { name: 'load_001', step: 'load', result: 'of load_001' },
      { name: 'load_002', step: 'load', result: 'of load_002' },
    ]);
  });

  it('gives each worker what has divided the work', () => {
    const plan = batchPlan('isolate');
    const steps = new TaskSteps(plan);
    divide(steps, 'split', 2);
    const [worker] = steps.ready;
    expect(worker && steps.dependenciesOf(worker.step)).toEqual([
      { name: 'split', step: 'split', result: { count: 2 } },
    ]);
  });

  it('leaves the results of its workers in those of the task where nothing takes them', () => {
    const steps = taskOf(
      { name: 'split', type: 'batchable', batchConfig: { workerTemplate: 'load' } },
      { name: 'load', type: 'batch_worker', dependencies: ['split'] },
    );
    divide(steps, 'split', 2);
    expect(steps.results).toEqual({});
    finish(steps, 'load_001', 'load_002');
    expect(steps.results).toEqual({ load_001: 'of load_001', load_002: 'of load_002' });
  });

  it('gives its results to what depends on it, and none to the task', () => {
    const steps = new TaskSteps(batchPlan('isolate'));
    divide(steps, 'split', 2);
    finish(steps, 'load_001', 'load_002', 'report');
    expect(steps.results).toEqual({ report: 'of report' });
  });

  it('without ranges is done at once', () => {
    for (const strategy of ['continue_on_failure', 'fail_fast', 'isolate'] as const) {
      const plan = batchPlan(strategy);
      const steps = new TaskSteps(plan);
      divide(steps, 'split', 0);
      expect(ready(steps)).toEqual(['report']);
      const report = plan.steps.find(({ name }) => name === 'report');
      expect(report && steps.dependenciesOf(report)).toEqual([]);
      finish(steps, 'report');
      expect(steps.end).toBe('complete');
    }
  });

  it('whose work could not be divided blocks what depends on it', () => {
    for (const strategy of ['continue_on_failure', 'fail_fast', 'isolate'] as const) {
      const steps = new TaskSteps(batchPlan(strategy));
      fail(steps, 'split');
      expect(ready(steps)).toEqual([]);
      expect(steps.statusOf('report')).toBe('blocked');
      expect(steps.end).toBe('error');
      steps.retry('split');
      divide(steps, 'split', 1);
      expect(ready(steps)).toEqual(['load_001']);
    }
  });

  it('may be a branch, and is left out with what follows it', () => {
    const steps = taskOf(
      { name: 'look', type: 'decision' },
      {
        name: 'split',
        type: 'batchable',
        dependencies: ['look'],
        batchConfig: { workerTemplate: 'load' },
      },
      { name: 'load', type: 'batch_worker', dependencies: ['split'] },
      { name: 'report', dependencies: ['load'] },
      { name: 'one', dependencies: ['look'] },
      { name: 'join', type: 'deferred_convergence', dependencies: ['one', 'load'] },
    );
    choose(steps, 'look', 'one');
    expect(ready(steps)).toEqual(['one']);
    expect(steps.statusOf('split')).toBe('skipped');
    expect(steps.statusOf('report')).toBe('skipped');
    finish(steps, 'one');
    expect(ready(steps)).toEqual(['join']);
  });

  it('is waited for by a convergence, where it was chosen', () => {
    const steps = taskOf(
      { name: 'look', type: 'decision' },
      {
        name: 'split',
        type: 'batchable',
        dependencies: ['look'],
        batchConfig: { workerTemplate: 'load' },
      },
      { name: 'load', type: 'batch_worker', dependencies: ['split'] },
      { name: 'one', dependencies: ['look'] },
      { name: 'join', type: 'deferred_convergence', dependencies: ['one', 'load'] },
    );
    choose(steps, 'look', 'split');
    expect(steps.statusOf('one')).toBe('skipped');
    expect(ready(steps)).toEqual(['split']);
    divide(steps, 'split', 1);
    expect(ready(steps)).toEqual(['load_001']);
    finish(steps, 'load_001');
    expect(ready(steps)).toEqual(['join']);
  });

  it('runs its workers after everything else that they depend on', () => {
    const steps = taskOf(
      { name: 'schema' },
      { name: 'split', type: 'batchable', batchConfig: { workerTemplate: 'load' } },
      { name: 'load', type: 'batch_worker', dependencies: ['split', 'schema'] },
    );
    divide(steps, 'split', 2);
    expect(ready(steps)).toEqual(['schema']);
    finish(steps, 'schema');
    expect(ready(steps)).toEqual(['load_001', 'load_002']);
  });
});

describe('a batch without ranges', () => {
  it('is done only when all is there that its workers would have needed', () => {
    const steps = taskOf(
      { name: 'split', type: 'batchable', batchConfig: { workerTemplate: 'load' } },
      { name: 'schema' },
      { name: 'load', type: 'batch_worker', dependencies: ['split', 'schema'] },
      { name: 'report', dependencies: ['load'] },
    );
    divide(steps, 'split', 0);
    expect(ready(steps)).toEqual(['schema']);
    fail(steps, 'schema');
    expect(ready(steps)).toEqual([]);
    expect(steps.statusOf('report')).toBe('blocked');
  });
});
