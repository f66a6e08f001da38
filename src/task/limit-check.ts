import { InvalidSchema, schemaCheck } from '../contract/schema-validation.js';
import { durationMsOrNone } from '../definition/duration.js';
import { isPlainObject, type Json, type JsonObject } from '../definition/json.js';
import type { Path, ProblemList } from '../pipeline/problem-list.js';
import { backoffMs } from './backoff.js';
import type { CheckedStep, Overrides } from './environments-check.js';
import { TASK_DEFAULTS } from './limits.js';
import { BACKOFFS, type ApprovalPlan } from './plan.js';
import { approvalPlan, overridden, retryPlan } from './step-plan.js';
import type { Written } from './value-check.js';

/** A limit that leaves no room for another one. */
interface Impossible {
  /** Of the lifecycle where there is none. */
  readonly step?: string;
  /** Where it is said, in the step or the lifecycle. */
  readonly path: Path;
  readonly message: string;
}

/** The longest that the task may take, and how messages tell it. */
interface MaxDuration {
  readonly ms: number;
  readonly isSet: boolean;
  readonly told: string;
}

/** Tells of limits that cannot be kept together, in the template and in each of its environments. */
export function checkLimits(
  written: Written,
  steps: readonly CheckedStep[],
  overrides: Readonly<Record<string, Overrides>>,
  problems: ProblemList,
): void {
  const lifecycle = isPlainObject(written['lifecycle']) ? written['lifecycle'] : {};
  const found = impossible(lifecycle, steps);
  for (const { step: name, path, message } of found) {
    const at = steps.find(({ step }) => step['name'] === name)?.at;
    problems.add([...(at === undefined ? ['lifecycle'] : ['steps', at]), ...path], message);
  }
  for (const [name, over] of Object.entries(overrides)) {
    const changed = steps.map((one) => {
      const change = over.steps.get(String(one.step['name']));
      return change === undefined ? one : { ...one, step: overridden(one.step, change.step) };
    });
    for (const { step, path, message } of impossible(
      { ...lifecycle, ...over.lifecycle },
      changed,
    )) {
      // What is impossible anyway was told.
      if (found.some((one) => one.step === step && String(one.path) === String(path))) continue;
      const at = step === undefined ? undefined : over.steps.get(step)?.at;
      const place = at === undefined ? ['lifecycle'] : ['steps', at, ...path];
      problems.add(['environments', name, ...place], `environments.${name}: ${message}`);
    }
  }
}

function impossible(lifecycle: Written, steps: readonly CheckedStep[]): readonly Impossible[] {
  const most = maxDuration(lifecycle, steps);
  return [
    ...waitProblems(lifecycle, most),
    ...steps.flatMap(({ step, type }) => {
      const name = String(step['name']);
      const own =
        type === 'approval' ? approvalProblems(step, most) : runProblems(step, lifecycle, most);
      return own.map(({ path, message }) => ({
        step: name,
        path,
        message: `step "${name}": ${message}`,
      }));
    }),
  ];
}

function maxDuration(lifecycle: Written, steps: readonly CheckedStep[]): MaxDuration {
  const written = lifecycle['maxDuration'];
  if (written !== undefined && written !== null)
    return {
      // What is none was told.
      ms: durationMsOrNone(written) ?? Infinity,
      isSet: true,
      told: `the task may take ${shown(written)} (lifecycle.max_duration)`,
    };
  const approvals = steps.filter(({ type }) => type === 'approval');
  const waits = approvals.map(({ step }) => approvalOf(step).timeoutMs);
  const more = approvals.length === 0 ? '' : ', and as long as its approvals wait';
  return {
    ms: TASK_DEFAULTS.maxDurationMs + waits.reduce((sum, one) => sum + one, 0),
    isSet: false,
    told: `the task may take a day${more}: set lifecycle.max_duration`,
  };
}

/** Waits that are longer than the task may take. */
function waitProblems(lifecycle: Written, most: MaxDuration): readonly Impossible[] {
  return (
    [
      ['maxWaitForDependencies', 'max_wait_for_dependencies'],
      ['maxWaitForRetry', 'max_wait_for_retry'],
    ] as const
  ).flatMap(([key, name]) => {
    if ((durationMsOrNone(lifecycle[key]) ?? 0) <= most.ms) return [];
    const message = `lifecycle.${name} is ${shown(lifecycle[key])}, and ${most.told}.`;
    return [{ path: [key], message }];
  });
}

function runProblems(
  { timeoutSeconds, retry }: Written,
  lifecycle: Written,
  most: MaxDuration,
): readonly Impossible[] {
  const retries = retryProblems(isPlainObject(retry) ? retry : {}, lifecycle);
  if (typeof timeoutSeconds !== 'number' || timeoutSeconds * 1_000 <= most.ms) return retries;
  const message = `timeout_seconds is ${shown(timeoutSeconds)}, and ${most.told}.`;
  return [{ path: ['timeoutSeconds'], message }, ...retries];
}

function retryProblems(written: Written, lifecycle: Written): readonly Impossible[] {
  const retry = retryPlan(written);
  const { maximumAttempts, backoff, baseMs, maximumMs } = retry;
  // What is wrong by itself was told.
  const isReadable =
    [maximumAttempts, baseMs, maximumMs].every(Number.isFinite) && BACKOFFS.includes(backoff);
  if (!isReadable || maximumAttempts <= 1 || backoff === 'none') return [];
  if (written['backoffBaseMs'] !== undefined && baseMs > maximumMs) {
    const message = `retry.backoff_base_ms is ${String(baseMs)}, and no wait is longer than ${String(maximumMs)} (max_backoff_ms).`;
    return [{ path: ['retry', 'backoffBaseMs'], message }];
  }
  const longest = lifecycle['maxWaitForRetry'];
  const firstMs = backoffMs(retry, 1);
  if (firstMs <= (durationMsOrNone(longest) ?? Infinity)) return [];
  const message = `it would never be tried again: the first wait is ${String(firstMs)} ms (backoff_base_ms), and the longest ${shown(longest)} (lifecycle.max_wait_for_retry). Where that is meant, write retry: { max_attempts: 1 }.`;
  return [{ path: ['retry'], message }];
}

function approvalProblems(step: Written, most: MaxDuration): readonly Impossible[] {
  const { timeoutMs, onTimeout, result = null } = approvalOf(step);
  const { timeout } = isPlainObject(step['approval']) ? step['approval'] : {};
  // One of which nothing is said ends with the task.
  const isTold = timeout !== undefined || onTimeout === 'complete';
  const lasts = timeout === undefined ? 'a day, unless set' : shown(timeout);
  const wrong = onTimeout === 'complete' ? misfit(step['resultSchema'], result) : undefined;
  return [
    ...(isTold && most.isSet && timeoutMs >= most.ms
      ? [
          {
            path: ['approval', 'timeout'],
            message: `approval.timeout is ${lasts}, and ${most.told}.`,
          },
        ]
      : []),
    ...(wrong === undefined
      ? []
      : [
          {
            path: ['approval', 'result'],
            message: `approval.result does not fit result_schema: ${wrong}.`,
          },
        ]),
  ];
}

function approvalOf({ approval }: Written): ApprovalPlan {
  return approvalPlan(isPlainObject(approval) ? approval : {});
}

/** What keeps a result from fitting a schema. */
function misfit(schema: unknown, result: Json): string | undefined {
  if (!isPlainObject(schema)) return undefined;
  try {
    return schemaCheck(schema as JsonObject)(result);
  } catch (error) {
    // One that is none was told of.
    if (error instanceof InvalidSchema) return undefined;
    throw error;
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}
