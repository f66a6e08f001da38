import { describe, expect, it } from '@jest/globals';
import { MAX_PAYLOAD_BYTES } from '../../../src/pipeline/payload-limit.js';
import {
  approvalTimeout,
  taskFailure,
  taskResult,
  waitedTooLong,
} from '../../../src/task/task-end.js';
import { TaskSteps } from '../../../src/task/task-steps.js';
import { divide, fail, finish, planOf } from './step-plans.js';

function numbered(count: number): readonly { readonly name: string }[] {
  return Array.from({ length: count }, (_, at) => ({ name: `s${String(at + 1)}` }));
}

describe('the failure of a task', () => {
  it('is that of its failed step', () => {
    const steps = new TaskSteps(planOf([{ name: 'a' }, { name: 'b', dependencies: ['a'] }]));
    steps.start('a');
    steps.fail('a', {
      type: 'CardDeclined',
      message: 'no money',
      retryable: true,
      attempts: 3,
      details: { code: 51 },
    });
    expect(taskFailure(steps)).toEqual({
      type: 'CardDeclined',
      step: 'a',
      message: 'Step "a" failed: no money',
      retryable: false,
      attempts: 3,
      details: [
        { type: 'CardDeclined', step: 'a', message: 'no money', retryable: true, attempts: 3 },
      ],
    });
  });

  it('is that of the first of several, and says how many more there are', () => {
    const steps = new TaskSteps(planOf(numbered(3)));
    fail(steps, 's3', 'third');
    fail(steps, 's2', 'second');
    finish(steps, 's1');
    expect(taskFailure(steps)).toMatchObject({
      step: 's2',
      message: 'Step "s2" failed: second (and 1 more)',
      details: [{ step: 's2' }, { step: 's3' }],
    });
  });

  it('lists not all of very many, and not all of what they say', () => {
    const steps = new TaskSteps(planOf(numbered(30)));
    for (const { name } of numbered(30)) fail(steps, name, 'x'.repeat(2_000));
    const { message, details } = taskFailure(steps);
    expect(message).toMatch(/x \(and 29 more\)$/);
    expect(details).toHaveLength(20);
    expect(details).toContainEqual(
      expect.objectContaining({ step: 's20', message: 'x'.repeat(500) }),
    );
  });

  it('does not speak of workers whose failures the batch does without', () => {
    const steps = new TaskSteps(
      planOf([
        { name: 'split', type: 'batchable', batchConfig: { workerTemplate: 'load' } },
        { name: 'load', type: 'batch_worker', dependencies: ['split'] },
        { name: 'report', dependencies: ['load'] },
      ]),
    );
    divide(steps, 'split', 1);
    fail(steps, 'load_001');
    fail(steps, 'report');
    expect(taskFailure(steps)).toMatchObject({
      step: 'report',
      message: 'Step "report" failed: report broke',
      details: [{ step: 'report' }],
    });
  });
});

describe('the result of a task', () => {
  it('has the results that nothing has taken', () => {
    const steps = new TaskSteps(
      planOf([{ name: 'a' }, { name: 'b', dependencies: ['a'] }, { name: 'c' }]),
    );
    finish(steps, 'a', 'b', 'c');
    expect(taskResult(steps, 'complete')).toEqual({
      status: 'complete',
      results: { b: 'of b', c: 'of c' },
    });
    expect(taskResult(steps, 'resolved_manually').status).toBe('resolved_manually');
  });

  it('leaves out results for which one payload has no room, and names them', () => {
    const steps = new TaskSteps(planOf(numbered(4)));
    const half = 'x'.repeat(MAX_PAYLOAD_BYTES / 2);
    for (const name of ['s1', 's2', 's3']) {
      steps.start(name);
      steps.complete(name, { result: half });
    }
    finish(steps, 's4');
    const { results, left_out } = taskResult(steps, 'complete');
    expect(Object.keys(results)).toEqual(['s1', 's4']);
    expect(left_out).toEqual(['s2', 's3']);
  });
});

describe('a task whose steps wait too long', () => {
  it('names those that wait', () => {
    const steps = new TaskSteps(
      planOf([{ name: 'a' }, { name: 'b', dependencies: ['a'] }, { name: 'c' }]),
    );
    steps.start('a');
    expect(waitedTooLong(steps, 5_000)).toEqual({
      type: 'DependencyWaitExceeded',
      message:
        'After 5000 ms (max_wait_for_dependencies) steps still wait for those that they depend on: b.',
      retryable: false,
      details: ['b'],
    });
  });

  it('names not all of very many', () => {
    const followers = numbered(25).map(({ name }) => ({ name, dependencies: ['first'] }));
    const failure = waitedTooLong(new TaskSteps(planOf([{ name: 'first' }, ...followers])), 1);
    expect(failure?.message).toMatch(/: s1, s2, .*s20, …\.$/);
    expect(failure?.details).toHaveLength(20);
  });

  it('does not exist where all have what they depend on, though they are not done', () => {
    const steps = new TaskSteps(planOf([{ name: 'a' }, { name: 'b', dependencies: ['a'] }]));
    finish(steps, 'a');
    expect(waitedTooLong(steps, 1)).toBeUndefined();
    steps.start('b');
    expect(waitedTooLong(steps, 1)).toBeUndefined();
  });
});

describe('an approval that nobody answers', () => {
  function asked(): TaskSteps {
    const steps = new TaskSteps(planOf([{ name: 'sign', type: 'approval' }]));
    steps.start('sign');
    return steps;
  }

  it('fails', () => {
    const steps = asked();
    approvalTimeout(steps, 'sign', { timeoutMs: 60_000, onTimeout: 'fail', result: 1 });
    expect(steps.of('sign')).toEqual({
      status: 'error',
      failure: {
        type: 'ApprovalTimeout',
        message: 'Nobody has answered within 60000 ms.',
        retryable: false,
      },
    });
  });

  it('completes where the template says so, with the result that it gives', () => {
    const given = asked();
    approvalTimeout(given, 'sign', { timeoutMs: 1, onTimeout: 'complete', result: 'granted' });
    expect(given.of('sign')).toEqual({ status: 'complete', result: 'granted' });
    const none = asked();
    approvalTimeout(none, 'sign', { timeoutMs: 1, onTimeout: 'complete' });
    expect(none.of('sign')).toEqual({ status: 'complete', result: null });
  });
});
