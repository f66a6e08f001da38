import { describe, expect, it } from '@jest/globals';
import { domainEvents } from '../../../src/event/domain-event.js';
import { EVENT_CONDITIONS } from '../../../src/task/plan.js';

const events = EVENT_CONDITIONS.map((condition) => ({ name: condition, condition }));

describe('the events that a step publishes', () => {
  it.each([
    ['success', ['success', 'always']],
    ['retryable_failure', ['failure', 'retryable_failure', 'always']],
    ['permanent_failure', ['failure', 'permanent_failure', 'always']],
  ] as const)('at an end in %s are %j', (end, names) => {
    expect(domainEvents(events, end).map(({ name }) => name)).toEqual(names);
  });
});
