import type { Json } from '../definition/json.js';
import type { RunReference } from '../pipeline/context.js';

/** What happened, as subscribers get it. Seed 002 names its fields. */
export interface MillraceEvent<P = unknown> {
  /** `step.execution.completed`, or the name of an event that a step publishes: `payment.charged`. */
  readonly event_type: string;
  /** The run's execution id, as the API has it; of tasks and of all other kinds. */
  readonly task_uuid: string;
  /** The step, or the operation, in its run; absent in events of whole runs. The same in each attempt. */
  readonly step_uuid?: string;
  readonly payload: P;
  /** When it happened: ISO 8601, UTC. */
  readonly timestamp: string;
}

/** What can be begun and ended: a run of some kind, a step of a task, or an operation of a pipeline. */
export const EVENT_SUBJECTS = [
  'pipeline',
  'task',
  'flow',
  'record_pipeline',
  'attribute_pipeline',
  'workflow',
  'step',
  'operation',
] as const;
export type EventSubject = (typeof EVENT_SUBJECTS)[number];

/** How far it is. */
export const EXECUTION_PHASES = ['started', 'completed', 'failed', 'cancelled'] as const;
export type ExecutionPhase = (typeof EXECUTION_PHASES)[number];

/** The type of an event of Millrace's own. */
export type ExecutionEventType = `${EventSubject}.execution.${ExecutionPhase}`;

/** The second word of the types of Millrace's own events; those that steps publish cannot have it. */
export const EXECUTION = 'execution';

/** Why something failed, without what only the history holds. */
export interface EventError {
  readonly type: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** What all events say of the run that they are of. */
interface RunPart {
  /** The workflow id: `task/fulfil-order/01J…`. */
  readonly run_id: string;
  readonly kind: RunReference['kind'];
  /** The definition's name. */
  readonly name: string;
}

/** The payload of `task.execution.…`, `pipeline.execution.…` and so on. */
export interface RunEventPayload extends RunPart {
  /** Since the run was started, in milliseconds; absent in `started`. */
  readonly duration_ms?: number;
  /** How it ended; absent in `started`. */
  readonly status?: 'completed' | 'failed' | 'timed_out' | 'cancelled';
  readonly error?: EventError;
}

/** What events of an attempt have in common. */
interface AttemptPart extends RunPart {
  /** From 1. */
  readonly attempt: number;
  /** Of this attempt, in milliseconds; absent in `started`. */
  readonly duration_ms?: number;
  readonly error?: EventError;
  /** Whether another attempt follows; only in `failed`. */
  readonly will_retry?: boolean;
}

/** The payload of `step.execution.…`. */
export interface StepEventPayload extends AttemptPart {
  /** The step of the template. */
  readonly step: string;
  /** The step's own name, which is another one for each worker of a batch: `load_rows_001`. */
  readonly step_name: string;
  /** Absent for approvals. */
  readonly handler?: string;
  readonly handler_version?: string;
  /** What the step came to; only in `completed`. */
  readonly result?: Json;
}

/** The payload of `operation.execution.…`. */
export interface OperationEventPayload extends AttemptPart {
  readonly stage: string;
  readonly operation: string;
  /** The operation's type, where it has another name at its place. */
  readonly type: string;
  /** The pipeline goes on although the operation failed; only in `failed`. */
  readonly ignored?: true;
}

/** The payload of an event that a step publishes (`publishes_events`): what the step came to, or failed of. */
export interface DomainEventPayload extends RunPart {
  readonly step: string;
  readonly step_name: string;
  readonly attempt: number;
  /** Absent where it failed. */
  readonly result?: Json;
  readonly error?: EventError;
}

/** The channel of `diagnostics_channel` that all events are published on, whatever their type. */
export const EVERY_EVENT_CHANNEL = 'millrace.event';

/** The channel that events of one type are published on: `millrace.step_execution_started`. */
export function channelOf(eventType: string): string {
  return `millrace.${eventType.replaceAll('.', '_')}`;
}

/**
 * The other name of a run's event, whatever the kind of the run: `run.execution.failed` for `task.execution.failed`. Undefined for events of
 * steps and operations, and for those that steps publish.
 */
export function runAlias(eventType: string): string | undefined {
  const [subject, word, phase] = eventType.split('.');
  if (word !== EXECUTION || phase === undefined) return undefined;
  return subject === 'step' || subject === 'operation' ? undefined : `run.${EXECUTION}.${phase}`;
}

/** A step, or an operation, in its run. */
export function stepUuid(executionId: string, name: string): string {
  return `${executionId}.${name}`;
}
