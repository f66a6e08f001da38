import { jsonBytes, type Json } from '../definition/json.js';
import { FAILURE_TYPES, failureJson, type Failure } from '../pipeline/failure.js';
import { MAX_PAYLOAD_BYTES } from '../pipeline/payload-limit.js';
import type { ApprovalPlan, TaskResult } from './plan.js';
import type { TaskSteps } from './task-steps.js';

/** Most failed steps that the failure of a task lists. */
const MAX_LISTED = 20;

/** What a task with steps that have failed has failed of: the first of them speaks for it. */
export function taskFailure(steps: TaskSteps): Failure {
  const failures = steps.failed.map(({ name }): Failure => ({
    ...(steps.of(name)?.failure ?? UNKNOWN),
    step: name,
  }));
  const [first = UNKNOWN] = failures;
  const others = failures.length > 1 ? ` (and ${String(failures.length - 1)} more)` : '';
  const { type, step = '', message, attempts } = first;
  return {
    type,
    step,
    message: `Step "${step}" failed: ${message}${others}`,
    retryable: false,
    ...(attempts !== undefined && { attempts }),
    details: failures.slice(0, MAX_LISTED).map((failure): Json => {
      const { details: _, handlerVersion: __, ...told } = failure;
      return failureJson({ ...told, message: told.message.slice(0, 500) });
    }),
  };
}

const UNKNOWN: Failure = { type: 'Error', message: 'unknown', retryable: false };

/** What a task has come to whose steps are done: as many results as one payload can carry. */
export function taskResult(steps: TaskSteps, status: TaskResult['status']): TaskResult {
  let room = MAX_PAYLOAD_BYTES - 64 * 1024;
  const results: Record<string, Json> = {};
  const leftOut: string[] = [];
  for (const [name, result] of Object.entries(steps.results)) {
    const bytes = jsonBytes(result) + name.length + 4;
    if (bytes > room) {
      leftOut.push(name);
      continue;
    }
    room -= bytes;
    results[name] = result;
  }
  return { status, results, ...(leftOut.length > 0 && { left_out: leftOut }) };
}

/** The failure of a task whose time is over. */
export function outOfTime(limitMs: number): Failure {
  return {
    type: FAILURE_TYPES.timeout,
    message: `The task took longer than its ${String(limitMs)} ms (max_duration).`,
    retryable: false,
  };
}

/** The failure of a task of which steps have waited too long for others; undefined where none waits any more. */
export function waitedTooLong(steps: TaskSteps, limitMs: number): Failure | undefined {
  const { waiting } = steps;
  if (waiting.length === 0) return undefined;
  const names = waiting.slice(0, MAX_LISTED).map(({ name }) => name);
  return {
    type: FAILURE_TYPES.dependencyWait,
    message: `After ${String(limitMs)} ms (max_wait_for_dependencies) steps still wait for those that they depend on: ${names.join(', ')}${waiting.length > names.length ? ', …' : ''}.`,
    retryable: false,
    details: names,
  };
}

/** What happens to an approval that nobody has answered in its time. */
export function approvalTimeout(
  steps: TaskSteps,
  name: string,
  { timeoutMs, onTimeout, result = null }: ApprovalPlan,
): void {
  if (onTimeout === 'complete') steps.complete(name, { result });
  else
    steps.fail(name, {
      type: FAILURE_TYPES.approvalTimeout,
      message: `Nobody has answered within ${String(timeoutMs)} ms.`,
      retryable: false,
    });
}
