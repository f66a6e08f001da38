import type { OperationEventPayload } from '../../src/event/event.js';
import type { OperationContext } from '../../src/pipeline/context.js';
import type { OperationPlan } from '../../src/pipeline/plan.js';
import { AttemptEvents } from '../attempt-events.js';
import type { ActivityDependencies } from '../dependencies.js';

/** What is told of an attempt of an operation to whoever has subscribed. */
export function operationEvents(
  { events }: ActivityDependencies,
  {
    stage,
    operation: { name, type },
  }: { readonly stage: string; readonly operation: Pick<OperationPlan, 'name' | 'type'> },
  { run, attempt }: OperationContext,
): AttemptEvents<OperationEventPayload> {
  return new AttemptEvents(events, {
    subject: 'operation',
    run,
    name: `${stage}.${name}`,
    attempt,
    parts: { stage, operation: name, type },
  });
}
