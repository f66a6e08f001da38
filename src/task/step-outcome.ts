import type { Json, JsonObject } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type { HandedBack } from '../pipeline/operation-task.js';
import type { StepPlan } from './plan.js';

/** A part of the items of a batch: from `start`, which is counted from 0, to before `end`. */
export interface BatchRange {
  readonly start: number;
  readonly end: number;
}

/** What a step that is done has given to those that depend on it, or what it has failed of. */
export interface DependencyResult {
  /** The step's own name; of a worker of a batch, that of the worker: `load_rows_001`. */
  readonly name: string;
  /** The step of the template. */
  readonly step: string;
  /** Absent where it has failed, which only `continue_on_failure` lets those that depend on it see. */
  readonly result?: Json;
  readonly failure?: Failure;
}

/** What of a step its activity needs. */
export type ExecutedStep = Pick<
  StepPlan,
  'name' | 'type' | 'handler' | 'retry' | 'resultSchema' | 'branches' | 'events'
> & {
  /** Of a batchable step: the items of a range. */
  readonly batchSize?: number;
};

/** What the activity of one step gets. Its activity type is the handler's name. */
export interface StepTask {
  readonly task: string;
  readonly namespace: string;
  readonly version: string;
  readonly step: ExecutedStep;
  /** The step's own name, or that of a worker of a batch. */
  readonly name: string;
  /** What the task was started with. */
  readonly fields: JsonObject;
  readonly dependencies: readonly DependencyResult[];
  /** Of a worker of a batch. */
  readonly range?: BatchRange & { readonly id: string };
  /** Of the batch that it divides, or works for. */
  readonly cursorField?: string;
  readonly maxRetryWaitMs?: number;
  readonly principal?: string;
  /** What a worker that stopped, or lacked the code, has handed back: it goes on from there. */
  readonly handedBack?: HandedBack;
  /** Nothing is run: the worker only says whether it has the handler. */
  readonly probe?: true;
}

/** What the activity of one step returns. */
export interface StepOutcome {
  readonly kind: 'step';
  readonly result: Json;
  /** The steps that a decision has chosen. */
  readonly branches?: readonly string[];
  /** The ranges that a batchable step has made. */
  readonly ranges?: readonly BatchRange[];
  /** Of the code that ran. */
  readonly handlerVersion: string;
}

/** True for what the activity of a step returns. */
export function isStepOutcome(value: unknown): value is StepOutcome {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'step' &&
    'result' in value
  );
}

/**
 * The id of a step's activity.
 *
 * @param begun - how often the step was begun before: somebody may have it retried
 * @param round - how often it was scheduled before since then: a worker may give it back
 */
export function stepActivityId(name: string, begun: number, round: number): string {
  return `step/${name}/${String(begun)}.${String(round)}`;
}

/** The step whose activity has this id, or undefined when it is none of a step. */
export function stepOfActivityId(id: string): string | undefined {
  return /^step\/([^/]+)\/\d+\.\d+$/.exec(id)?.[1];
}

/** What the timer of an approval is called, before the name of its step. */
export const APPROVAL_SUMMARY = 'Waits for approval: ';
