import { describe, expect, it } from '@jest/globals';
import { matchesPattern, patternProblem } from '../../../src/event/event-pattern.js';

describe('a pattern of event types', () => {
  it.each([
    ['step.execution.failed', 'step.execution.failed', true],
    ['step.execution.failed', 'step.execution.completed', false],
    ['step.execution.failed', 'step.execution', false],
    ['step.execution', 'step.execution.failed', false],
    ['*.execution.failed', 'task.execution.failed', true],
    ['*.execution.failed', 'payment.failed', false],
    ['step.*.failed', 'step.execution.failed', true],
    ['*', 'step.execution.failed', false],
    ['*', 'paid', true],
    ['**', 'step.execution.failed', true],
    ['**', 'paid', true],
    ['step.**', 'step.execution.failed', true],
    ['step.**', 'step', true],
    ['**.failed', 'step.execution.failed', true],
    ['**.failed', 'failed', true],
    ['**.execution.**', 'step.execution.failed', true],
    ['**.execution.**', 'step.failed', false],
    ['run.execution.failed', 'task.execution.failed', true],
    ['run.execution.*', 'attribute_pipeline.execution.started', true],
    ['run.**', 'flow.execution.completed', true],
    ['run.execution.failed', 'step.execution.failed', false],
    ['run.execution.failed', 'operation.execution.failed', false],
    ['run.started', 'run.started', true],
  ])('%s and an event %s: %s', (pattern, type, matches) => {
    expect(matchesPattern(pattern, type)).toBe(matches);
  });

  it.each(['step.execution.failed', '*.execution.failed', '**', 'payment.charged-back.v2'])(
    'may be %s',
    (pattern) => {
      expect(patternProblem(pattern)).toBeUndefined();
    },
  );

  it.each([
    ['', 'a pattern is a text'],
    [7, 'a pattern is a text'],
    ['step..failed', 'not ""'],
    ['step.fail*', 'not "fail*"'],
    ['step.***', 'not "***"'],
    ['step execution', 'not "step execution"'],
    ['a'.repeat(501), 'a pattern of 501 characters is too long; the most is 500'],
  ])('may not be %j', (pattern, message) => {
    expect(patternProblem(pattern)).toContain(message);
  });

  it('takes no time that grows with its stars', () => {
    const pattern = Array.from({ length: 100 }, () => '**').join('.');
    const type = Array.from({ length: 100 }, () => 'a').join('.');
    expect(matchesPattern(`${pattern}.b`, type)).toBe(false);
    expect(matchesPattern(pattern, type)).toBe(true);
  });
});
