import type { JsonObject } from '../definition/json.js';

/**
 * The kinds of events that a run tells. The first eight are seed 000's; those of data flows begin with `flow_`, those of
 * record pipelines with `record_pipeline_`, those of attribute pipelines with `attribute_run_`, those of tasks with `task_`, `step_` and `approval_`. Their `…_progress` come as hints, too. Hints come from describing a run that goes on:
 * they carry no id, are best effort, and are not repeated to a client that reconnects.
 */
export type RunEventType =
  | 'pipe_started'
  | 'stage_started'
  | 'operation_started'
  | 'operation_completed'
  | 'operation_failed'
  | 'stage_completed'
  | 'complete'
  | 'error'
  | 'stage_failed'
  | 'pipe_failed'
  | 'operation_waiting'
  | 'flow_started'
  | 'flow_progress'
  | 'flow_attempt_failed'
  | 'flow_failed'
  | 'record_pipeline_started'
  | 'record_pipeline_begun'
  | 'record_pipeline_progress'
  | 'record_pipeline_waiting'
  | 'record_pipeline_attempt_failed'
  | 'record_pipeline_failed'
  | 'attribute_run_started'
  | 'attribute_run_begun'
  | 'attribute_run_progress'
  | 'attribute_run_waiting'
  | 'attribute_run_attempt_failed'
  | 'attribute_run_failed'
  | TaskEventType
  | RunHintType;

/** Live only: an attempt failed and another follows; a body told how far it is. */
export type RunHintType =
  'operation_retrying' | 'operation_progress' | 'step_retrying' | 'step_progress';

/** What tasks tell. */
export type TaskEventType =
  | 'task_started'
  | 'step_started'
  | 'step_completed'
  | 'step_failed'
  | 'step_cancelled'
  | 'step_skipped'
  | 'step_waiting'
  | 'step_retried'
  | 'step_resolved'
  | 'approval_requested'
  | 'task_failed';

/** Something that happened in a run, in the form in which clients get it. */
export interface RunEvent {
  /** `<run id>.<history event>.<n>`: the run in its chain, Temporal's event, and the place among what it yields. Hints have none. */
  readonly id?: string;
  readonly type: RunEventType;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Seed 000's fields, in snake_case. */
  readonly data: JsonObject;
}

/** The place of an event in a run's story, from its id. */
export interface EventPosition {
  readonly runId: string;
  readonly eventId: number;
  readonly index: number;
}

/** The parts of an event's id, or undefined when it is none. */
export function parseEventId(id: string): EventPosition | undefined {
  const match = /^([\w-]{1,100})\.(\d{1,9})\.(\d{1,6})$/.exec(id);
  const [, runId, eventId, index] = match ?? [];
  if (runId === undefined || eventId === undefined || index === undefined) return undefined;
  return { runId, eventId: Number(eventId), index: Number(index) };
}

/** The id of an event. */
export function formatEventId({ runId, eventId, index }: EventPosition): string {
  return `${runId}.${String(eventId)}.${String(index)}`;
}

/** True when an event comes after a position in the story of the same run. */
export function isAfter(event: EventPosition, position: EventPosition): boolean {
  return (
    event.eventId > position.eventId ||
    (event.eventId === position.eventId && event.index > position.index)
  );
}
