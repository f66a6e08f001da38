import { schemaCheck } from '../src/contract/schema-validation.js';
import { ContractViolation, describeValue } from '../src/contract/violation.js';
import { isClosed } from '../src/progress/status.js';
import {
  resolutionProblem,
  stepRefusal,
  type StepRefusal,
  type StepSignal,
} from '../src/task/step-signal.js';
import type { StepStatus } from '../src/task/step-state.js';
import { TaskSteps } from '../src/task/task-steps.js';
import type { Execution } from './execution.js';

/** What was asked of a step of a task cannot be done. */
export class StepRefused extends Error {
  override readonly name = 'StepRefused';
  constructor(
    readonly step: string,
    readonly reason: StepRefusal | 'task_is_over' | 'no_task',
    /** Undefined for a step that there is not. */
    readonly status: StepStatus | undefined,
  ) {
    super(MESSAGES[reason](step, status));
  }
}

const MESSAGES: Readonly<
  Record<StepRefused['reason'], (step: string, status: StepStatus | undefined) => string>
> = {
  unknown_step: (step) => `Step not found: ${step}`,
  not_failed: (step, status) => `Step "${step}" has not failed: it is ${String(status)}.`,
  not_waiting: (step, status) => `Step "${step}" waits for no answer: it is ${String(status)}.`,
  task_does_not_wait: (step) =>
    `Step "${step}" cannot be changed: the task ends when its steps have failed. Its template would have to say lifecycle: { on_error: wait }.`,
  too_late: (step) =>
    `Step "${step}" cannot be changed: what depends on it has begun, and has seen that it failed.`,
  task_is_over: (step) => `Step "${step}" cannot be changed: the task is over.`,
  no_task: (step) => `Step not found: ${step}`,
};

/**
 * Looks whether a task takes what a person tells of one of its steps. The task itself looks again: it may have gone on.
 *
 * @throws {@link StepRefused}, and {@link ContractViolation} for a result that the step's schema refuses, and for
 *   branches or ranges that are missing or wrong
 */
export function requireStep({ status, progress }: Execution, signal: StepSignal): void {
  const task = progress?.task;
  if (task === undefined) throw new StepRefused(signal.step, 'no_task', undefined);
  const steps = new TaskSteps(task.plan, task.state);
  const stepStatus = steps.statusOf(signal.step);
  if (stepStatus === undefined) throw new StepRefused(signal.step, 'unknown_step', undefined);
  if (isClosed(status)) throw new StepRefused(signal.step, 'task_is_over', stepStatus);
  const refusal = stepRefusal(task.plan, steps, signal);
  if (refusal !== undefined) throw new StepRefused(signal.step, refusal, stepStatus);
  const wrong = resolutionProblem(steps, signal);
  if (wrong !== undefined) {
    const { field, message } = wrong;
    const got = describeValue(signal.kind === 'resolve' ? signal[field] : undefined);
    throw new ContractViolation([{ path: field, got, message }]);
  }
  requireResult(steps, signal);
}

function requireResult(steps: TaskSteps, signal: StepSignal): void {
  if (signal.kind === 'retry' || (signal.kind === 'answer' && !signal.approved)) return;
  const { step } = steps.instances.find(({ name }) => name === signal.step) ?? {};
  if (step?.resultSchema === undefined) return;
  const wrong = schemaCheck(step.resultSchema)(signal.result);
  if (wrong === undefined) return;
  const message = `The result does not fit result_schema of step "${signal.step}": ${wrong}`;
  throw new ContractViolation([{ path: 'result', got: describeValue(signal.result), message }]);
}
