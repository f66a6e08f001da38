import {
  EXECUTION,
  type EventError,
  type ExecutionPhase,
  type MillraceEvent,
  type OperationEventPayload,
  type RunEventPayload,
  type StepEventPayload,
} from './event.js';

/** What metrics and traces need of an event, whatever it is of: few names, so that nothing grows with the number of runs. */
export type EventStory =
  | {
      readonly of: 'run';
      readonly phase: ExecutionPhase;
      readonly kind: string;
      readonly definition: string;
      readonly runId: string;
      readonly durationMs: number | undefined;
      readonly error: EventError | undefined;
    }
  | {
      readonly of: 'attempt';
      readonly phase: ExecutionPhase;
      readonly subject: 'step' | 'operation';
      readonly kind: string;
      readonly definition: string;
      readonly runId: string;
      /** The step of the template; of a pipeline, the stage and the operation: `fetch.download`. */
      readonly place: string;
      readonly attempt: number;
      readonly durationMs: number | undefined;
      readonly error: EventError | undefined;
      readonly willRetry: boolean;
      /** False of an approval, and of what a person resolves: no code of a step runs. */
      readonly runsHere: boolean;
    }
  | { readonly of: 'domain'; readonly type: string };

/** Sorts an event by what it is of. */
export function eventStory({ event_type: type, payload }: MillraceEvent): EventStory {
  const [subject, word, phase] = type.split('.');
  if (word !== EXECUTION) return { of: 'domain', type };
  // The types of Millrace's own events say what their payloads are.
  const told = payload as RunEventPayload & Partial<StepEventPayload & OperationEventPayload>;
  const common = {
    phase: phase as ExecutionPhase,
    kind: told.kind,
    definition: told.name,
    runId: told.run_id,
    durationMs: told.duration_ms,
    error: told.error,
  };
  if (subject !== 'step' && subject !== 'operation') return { of: 'run', ...common };
  return {
    of: 'attempt',
    subject,
    ...common,
    place:
      subject === 'step' ? String(told.step) : `${String(told.stage)}.${String(told.operation)}`,
    attempt: told.attempt ?? 1,
    willRetry: told.will_retry === true,
    runsHere: subject === 'operation' || told.handler !== undefined,
  };
}
