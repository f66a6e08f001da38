import type { Json } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type { BatchRange } from './step-outcome.js';

/**
 * Where a step can be. `pending`: it waits for others. `blocked`: one that it depends on has failed. `skipped`: a decision has chosen
 * other branches. `cancelled`: it was stopped, or never begun, because another worker of its batch has failed.
 */
export const STEP_STATUSES = [
  'pending',
  'in_progress',
  'complete',
  'error',
  'blocked',
  'skipped',
  'cancelled',
  'resolved_manually',
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** What has happened to a step, or to one worker of a batch. Those of which nothing is known have not begun. */
export interface StepState {
  readonly status: Exclude<StepStatus, 'pending' | 'blocked' | 'skipped'>;
  readonly result?: Json;
  readonly failure?: Failure;
  readonly branches?: readonly string[];
  readonly ranges?: readonly BatchRange[];
}

/** The steps of a task that have begun, by their names. Plain JSON, so that continue-as-new can carry it. */
export type TaskState = Readonly<Record<string, StepState>>;
