import type { EventCondition, StepEventPlan } from '../task/plan.js';

/** How an attempt of a step ended. */
export type AttemptEnd = 'success' | 'retryable_failure' | 'permanent_failure';

/** The events that a step publishes when an attempt of it has ended so. */
export function domainEvents(
  events: readonly StepEventPlan[],
  end: AttemptEnd,
): readonly StepEventPlan[] {
  return events.filter(({ condition }) => isMet(condition, end));
}

/** A retryable failure is one that another attempt follows; the last one is permanent, whatever its error says. */
function isMet(condition: EventCondition, end: AttemptEnd): boolean {
  switch (condition) {
    case 'always':
      return true;
    case 'failure':
      return end !== 'success';
    default:
      return condition === end;
  }
}
