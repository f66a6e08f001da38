import { describe, expect, it } from '@jest/globals';
import { compiled, messages, messagesOf, STEP } from './compiling.js';

const ASK = { name: 'ask', type: 'approval' } as const;
const TWO_HOURS = 'the task may take "2h" (lifecycle.max_duration)';

describe('a limit that cannot be kept', () => {
  it.each<[object, string]>([
    [
      { lifecycle: { maxDuration: '2h', maxWaitForDependencies: '3h' } },
      `lifecycle.maxWaitForDependencies:1  lifecycle.max_wait_for_dependencies is "3h", and ${TWO_HOURS}.`,
    ],
    [
      { lifecycle: { maxDuration: '2h', maxWaitForRetry: '3h' } },
      `lifecycle.maxWaitForRetry:1  lifecycle.max_wait_for_retry is "3h", and ${TWO_HOURS}.`,
    ],
    [
      { lifecycle: { maxDuration: '2h' }, steps: [{ ...STEP, timeoutSeconds: 7_201 }] },
      `steps.0.timeoutSeconds:1  step "pay": timeout_seconds is 7201, and ${TWO_HOURS}.`,
    ],
    [
      { steps: [{ ...STEP, timeoutSeconds: 90_000 }] },
      'steps.0.timeoutSeconds:1  step "pay": timeout_seconds is 90000, and the task may take a day: set lifecycle.max_duration.',
    ],
    [
      { steps: [{ ...STEP, timeoutSeconds: 200_000 }, { ...ASK }] },
      'steps.0.timeoutSeconds:1  step "pay": timeout_seconds is 200000, and the task may take a day, and as long as its approvals wait: set lifecycle.max_duration.',
    ],
    [
      { lifecycle: { maxDuration: '2h' }, steps: [{ ...ASK, approval: { timeout: '2h' } }] },
      `steps.0.approval.timeout:1  step "ask": approval.timeout is "2h", and ${TWO_HOURS}.`,
    ],
    [
      {
        lifecycle: { maxDuration: '2h' },
        steps: [{ ...ASK, approval: { onTimeout: 'complete' } }],
      },
      `steps.0.approval.timeout:1  step "ask": approval.timeout is a day, unless set, and ${TWO_HOURS}.`,
    ],
    [
      {
        steps: [{ ...ASK, approval: { onTimeout: 'complete' }, resultSchema: { type: 'object' } }],
      },
      'steps.0.approval.result:1  step "ask": approval.result does not fit result_schema: it must be object.',
    ],
    [
      { steps: [{ ...STEP, retry: { backoffBaseMs: 60_000 } }] },
      'steps.0.retry.backoffBaseMs:1  step "pay": retry.backoff_base_ms is 60000, and no wait is longer than 30000 (max_backoff_ms).',
    ],
    [
      { lifecycle: { maxWaitForRetry: '500ms' } },
      'steps.0.retry:1  step "pay": it would never be tried again: the first wait is 1000 ms (backoff_base_ms), and the longest "500ms" (lifecycle.max_wait_for_retry). Where that is meant, write retry: { max_attempts: 1 }.',
    ],
  ])('is told: %j', (written, message) => {
    expect(messages(written)).toEqual([message]);
  });

  it.each<object>([
    { lifecycle: { maxDuration: '2h', maxWaitForDependencies: '2h', maxWaitForRetry: '2h' } },
    { lifecycle: { maxDuration: '2h' }, steps: [{ ...STEP, timeoutSeconds: 7_200 }] },
    { lifecycle: { maxDuration: '2h' }, steps: [ASK] },
    { steps: [{ ...ASK, approval: { timeout: '30 days' } }] },
    { steps: [{ ...STEP, timeoutSeconds: 170_000 }, { ...ASK }] },
    { steps: [{ ...STEP, retry: { maxBackoffMs: 10 } }] },
    { steps: [{ ...STEP, retry: { backoff: 'none', backoffBaseMs: 60_000 } }] },
    { steps: [{ ...STEP, retry: { retryable: false, backoffBaseMs: 60_000 } }] },
    { lifecycle: { maxWaitForRetry: '1s' } },
    { lifecycle: { maxWaitForRetry: '1ms' }, steps: [{ ...STEP, retry: { backoff: 'none' } }] },
  ])('is none: %j', (written) => {
    expect(messages(written)).toEqual([]);
  });

  it('is told once where it is none itself', () => {
    expect(
      messages({
        lifecycle: { maxDuration: 'soon', maxWaitForRetry: -1 },
        steps: [
          {
            ...STEP,
            timeoutSeconds: '9',
            retry: { backoff: 'up', backoffBaseMs: '1', maxAttempts: 0 },
          },
        ],
      }),
    ).toHaveLength(6);
  });

  it('is told of each environment, with the line where that says it, and once where it is so anyway', () => {
    expect(
      messagesOf(
        [
          'name: a',
          'lifecycle: { max_duration: 1h }',
          'steps:',
          '  - { name: pay, handler: charge, timeout_seconds: 60 }',
          '  - { name: ship, handler: ship, timeout_seconds: 7200 }',
          '  - { name: ask, type: approval, approval: { timeout: 30m } }',
          'environments:',
          '  test:',
          '    lifecycle: { max_duration: 20m }',
          '    steps:',
          '      - { name: nothing }',
          '      - { name: pay, timeout_seconds: 1800 }',
          '  production:',
          '    lifecycle: { max_duration: 2h }',
        ].join('\n'),
      ),
    ).toEqual([
      't.yml:11:17  environments.test: unknown step "nothing". Known: ask, pay, ship.',
      't.yml:5:51  step "ship": timeout_seconds is 7200, and the task may take "1h" (lifecycle.max_duration).',
      't.yml:12:39  environments.test: step "pay": timeout_seconds is 1800, and the task may take "20m" (lifecycle.max_duration).',
      't.yml:9:16  environments.test: step "ask": approval.timeout is "30m", and the task may take "20m" (lifecycle.max_duration).',
    ]);
  });
});

describe('the longest time of a task', () => {
  it('is a day and as long as its approvals may wait, unless it is set', () => {
    const approvals = [ASK, { ...ASK, name: 'again', approval: { timeout: '3 days' } }] as const;
    const longest = (written: Parameters<typeof compiled>[0]): number =>
      compiled(written).plan.lifecycle.maxDurationMs / (60 * 60_000);
    expect(longest({ steps: [STEP] })).toBe(24);
    expect(longest({ steps: approvals })).toBe(24 * 5);
    expect(longest({ steps: approvals, lifecycle: { maxDuration: '4 days' } })).toBe(24 * 4);
  });
});

describe('an approval', () => {
  it('has nothing to try again, and its limit has another name', () => {
    expect(
      messages({ steps: [{ ...ASK, retry: { maxAttempts: 2 }, timeoutSeconds: 60 }] }),
    ).toEqual([
      'steps.0.retry:1  step "ask": an approval is asked for once, and has no retry. Take it out.',
      'steps.0.timeoutSeconds:1  step "ask": an approval has no timeout_seconds. Write approval: { timeout: 2d }.',
    ]);
  });
});
