import { isPlainObject } from '../definition/json.js';
import { unknownName } from '../definition/unknown-name.js';
import type { ProblemList } from '../pipeline/problem-list.js';
import type { StepHandler } from './handler.js';
import { checkLifecycle } from './lifecycle-check.js';
import type { StepType } from './plan.js';
import { checkedHandler, checkStepSettings, STEP_KEYS } from './step-check.js';
import { handlerUse } from './step-plan.js';
import type { Lifecycle } from './task.js';
import type { Written } from './value-check.js';

/** A step whose type is known. */
export interface CheckedStep {
  readonly step: Written;
  /** Which of the steps that are written. */
  readonly at: number;
  readonly type: StepType;
}

/** What is different in an environment. */
export interface Overrides {
  readonly lifecycle: Lifecycle;
  /** By name; `at` is which of the environment's steps. */
  readonly steps: ReadonlyMap<string, { readonly step: Written; readonly at: number }>;
}

/** What an environment cannot change: the graph is the same everywhere. */
const FIXED: readonly string[] = ['type', 'dependencies', 'dependsOn'];

const CHANGEABLE = STEP_KEYS.filter((key) => !FIXED.includes(key));

/** What is different in each environment; also what is wrong in those that do not hold now is told. */
export function checkedOverrides(
  written: unknown,
  steps: readonly CheckedStep[],
  handlers: ReadonlyMap<string, StepHandler>,
  problems: ProblemList,
): Readonly<Record<string, Overrides>> {
  if (written === undefined) return {};
  if (!isPlainObject(written)) {
    problems.add(
      ['environments'],
      'environments must be an object: { production: { steps: [ … ] } }.',
    );
    return {};
  }
  return Object.fromEntries(
    Object.entries(written).map(([name, overrides]) => {
      const what = `environments.${name}: `;
      const here = problems.under(['environments', name]);
      return [name, checkedEnvironment(overrides, what, { steps, handlers }, here)];
    }),
  );
}

interface Known {
  readonly steps: readonly CheckedStep[];
  readonly handlers: ReadonlyMap<string, StepHandler>;
}

function checkedEnvironment(
  overrides: unknown,
  what: string,
  known: Known,
  problems: ProblemList,
): Overrides {
  const nothing = { lifecycle: {}, steps: new Map<string, never>() };
  if (!isPlainObject(overrides)) {
    problems.add([], `${what}an environment must be an object: { lifecycle, steps }.`);
    return nothing;
  }
  problems.unknownKeys(what, overrides, ['lifecycle', 'steps']);
  const { lifecycle, steps = [] } = overrides;
  checkLifecycle(lifecycle, what, problems.under(['lifecycle']));
  if (!Array.isArray(steps)) {
    problems.add(['steps'], `${what}steps must be a list: [{ name: charge, timeout_seconds: 5 }].`);
    return nothing;
  }
  const changed = new Map<string, { readonly step: Written; readonly at: number }>();
  for (const [at, step] of (steps as readonly unknown[]).entries()) {
    const here = problems.under(['steps', at]);
    const name = isPlainObject(step) ? step['name'] : undefined;
    if (!isPlainObject(step) || typeof name !== 'string')
      here.add([], `${what}step ${String(at + 1)} has no name of a step.`);
    else if (changed.has(name))
      here.add(['name'], `${what}step "${name}" is changed before. Write all of it there.`);
    else if (checkStep(step, name, what, known, here)) changed.set(name, { step, at });
  }
  return { lifecycle: isPlainObject(lifecycle) ? lifecycle : {}, steps: changed };
}

function checkStep(
  step: Written,
  name: string,
  environment: string,
  { steps, handlers }: Known,
  problems: ProblemList,
): boolean {
  const changed = steps.find((other) => other.step['name'] === name);
  if (changed === undefined) {
    const names = [...new Set(steps.map((other) => String(other.step['name'])))];
    problems.add(['name'], `${environment}${unknownName(name, names, 'step')}`);
    return false;
  }
  const what = `${environment}step "${name}": `;
  problems.unknownKeys(what, step, CHANGEABLE);
  checkStepSettings(step, what, changed.type, problems);
  const { batchConfig } = step;
  if (isPlainObject(batchConfig) && batchConfig['workerTemplate'] !== undefined)
    problems.add(
      ['batchConfig', 'workerTemplate'],
      `${what}worker_template is the same in all environments. Take it out here.`,
    );
  if (step['handler'] !== undefined) {
    const use = handlerUse(changed.step['handler'], step['handler']);
    checkedHandler(use, changed.type, handlers, what, problems);
  }
  return true;
}
