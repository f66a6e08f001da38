import { isPlainObject, type Json } from '../definition/json.js';
import { FAILURE_TYPES } from '../pipeline/failure.js';
import type { TaskPlan } from './plan.js';
import {
  isSteering,
  steeringProblem,
  type Steering,
  type SteeringProblem,
} from './step-steering.js';
import type { TaskSteps } from './task-steps.js';

/** The name of the signal by which a person tells a task what becomes of one of its steps. */
export const STEP_SIGNAL = 'millrace.step';

/** What a person tells of a step. */
export type StepSignal =
  /** A step that has failed begins again. */
  | { readonly kind: 'retry'; readonly step: string; readonly by?: string }
  /** A step that has failed is done, with this for its result. */
  | ({
      readonly kind: 'resolve';
      readonly step: string;
      readonly result: Json;
      readonly reason: string;
      readonly by?: string;
    } & Steering)
  /** The answer that an approval waits for. */
  | {
      readonly kind: 'answer';
      readonly step: string;
      readonly approved: boolean;
      readonly result: Json;
      readonly by?: string;
    };

/** Why what a person tells of a step cannot be done. */
export type StepRefusal =
  'unknown_step' | 'not_failed' | 'not_waiting' | 'task_does_not_wait' | 'too_late';

/** Why a signal changes nothing; undefined where it does something. */
export function stepRefusal(
  plan: TaskPlan,
  steps: TaskSteps,
  { kind, step: name }: Pick<StepSignal, 'kind' | 'step'>,
): StepRefusal | undefined {
  const status = steps.statusOf(name);
  const step = steps.instance(name)?.step;
  if (status === undefined || step === undefined) return 'unknown_step';
  if (kind === 'answer')
    return step.type === 'approval' && status === 'in_progress' ? undefined : 'not_waiting';
  if (plan.lifecycle.onError !== 'wait') return 'task_does_not_wait';
  if (status !== 'error') return 'not_failed';
  // What comes after a batch that goes on has seen that a worker has failed.
  return steps.isTaken(name) ? 'too_late' : undefined;
}

/** Does what a person tells of a step. The workflow does so, and whoever folds its history. */
export function takeStepSignal(plan: TaskPlan, steps: TaskSteps, signal: StepSignal): boolean {
  if (stepRefusal(plan, steps, signal) !== undefined) return false;
  if (resolutionProblem(steps, signal) !== undefined) return false;
  const { step } = signal;
  switch (signal.kind) {
    case 'retry':
      steps.retry(step);
      break;
    case 'resolve':
      steps.resolve(step, signal);
      break;
    case 'answer':
      if (signal.approved) steps.complete(step, { result: signal.result });
      else
        steps.fail(step, {
          type: FAILURE_TYPES.approvalRejected,
          message: rejection(signal),
          retryable: false,
          details: signal.result,
        });
  }
  return true;
}

/** Why a step cannot be resolved as a signal says; undefined where it can, and for other signals. */
export function resolutionProblem(
  steps: TaskSteps,
  signal: StepSignal,
): SteeringProblem | undefined {
  const step = steps.instance(signal.step)?.step;
  return signal.kind === 'resolve' && step !== undefined
    ? steeringProblem(step, signal)
    : undefined;
}

function rejection({ by, result }: Extract<StepSignal, { readonly kind: 'answer' }>): string {
  const who = by === undefined ? '' : ` by ${by}`;
  return `It was rejected${who}${typeof result === 'string' ? `: ${result}` : '.'}`;
}

/** True for what {@link STEP_SIGNAL} carries; anybody may send something else. */
export function isStepSignal(value: unknown): value is StepSignal {
  if (!isPlainObject(value) || typeof value['step'] !== 'string') return false;
  const { kind, by, reason, approved } = value;
  if (by !== undefined && typeof by !== 'string') return false;
  if (kind === 'retry') return true;
  if (!('result' in value)) return false;
  return (
    (kind === 'resolve' && typeof reason === 'string' && isSteering(value)) ||
    (kind === 'answer' && typeof approved === 'boolean')
  );
}
