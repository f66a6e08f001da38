import { schemaCheck } from '../../src/contract/schema-validation.js';
import type { Json } from '../../src/definition/json.js';
import { domainEvents, type AttemptEnd } from '../../src/event/domain-event.js';
import type { StepEventPayload } from '../../src/event/event.js';
import type { Log } from '../../src/pipeline/context.js';
import type { Failure } from '../../src/pipeline/failure.js';
import type { StepEventPlan } from '../../src/task/plan.js';
import { eventError, type AttemptEvents } from '../attempt-events.js';

/** A step's attempt, as what it publishes needs it. */
export interface PublishingStep {
  readonly events: AttemptEvents<StepEventPayload>;
  /** The step of the template, and the step's own name. */
  readonly step: string;
  readonly name: string;
  /** What the template has it publish. */
  readonly declared: readonly StepEventPlan[];
  readonly log: Log;
}

/** Publishes that an attempt has come to something, and what the template wants to have told then. */
export function stepCompleted(
  step: PublishingStep,
  result: Json,
  parts: Partial<StepEventPayload> = {},
): void {
  // Subscribers get a result of their own: one that changes it would change what the run goes on with.
  const came = (): { readonly result: Json } => ({
    // What can be written as JSON can be read again.
    result: JSON.parse(JSON.stringify(result)) as Json,
  });
  publishDeclared(step, 'success', came, result);
  step.events.completed(() => ({ ...parts, ...came() }));
}

/** Publishes that an attempt has failed, and what the template wants to have told then. */
export function stepFailed(step: PublishingStep, failure: Failure, willRetry: boolean): void {
  const end = willRetry ? 'retryable_failure' : 'permanent_failure';
  publishDeclared(step, end, () => ({ error: eventError(failure) }));
  step.events.failed(failure, willRetry);
}

/** @param result - what a schema is about; undefined where the attempt has failed */
function publishDeclared(
  { events, step, name, declared, log }: PublishingStep,
  end: AttemptEnd,
  came: () => object,
  result?: Json,
): void {
  for (const { name: eventType, schema } of domainEvents(declared, end)) {
    // What the step did is done: an event that does not fit is a fault of the template, not of the step.
    const wrong =
      schema === undefined || result === undefined ? undefined : schemaCheck(schema)(result);
    if (wrong === undefined) events.other(eventType, () => ({ step, step_name: name, ...came() }));
    else
      log.error(
        { event: eventType, reason: wrong },
        'an event was not published: its payload does not fit its schema',
      );
  }
}
