import { unknownName } from '../definition/unknown-name.js';
import { wrongRanges } from './batch-ranges.js';
import type { StepPlan } from './plan.js';
import type { BatchRange } from './step-outcome.js';

/** What some steps say of those that come next: a decision which ones, and a batchable step how its work is divided. */
export interface Steering {
  readonly branches?: readonly string[];
  /** Counted from 0; `end` is the first item that is not part of it. */
  readonly ranges?: readonly BatchRange[];
}

/** Something that is missing, or wrong. */
export interface SteeringProblem {
  readonly field: keyof Steering;
  readonly message: string;
}

/** Why a step cannot be done with what a person says of those that come next. */
export function steeringProblem(
  { name, type, branches: known = [] }: Pick<StepPlan, 'name' | 'type' | 'branches'>,
  { branches, ranges }: Steering,
): SteeringProblem | undefined {
  if (type === 'decision') {
    const wrong =
      branches === undefined
        ? `branches must list the steps that come next, or none: step "${name}" is a decision between ${known.join(', ')}.`
        : branches
            .filter((branch) => !known.includes(branch))
            .map((branch) => `branches: ${unknownName(branch, known, 'step')}`)[0];
    if (wrong !== undefined) return { field: 'branches', message: wrong };
  } else if (branches !== undefined) {
    return {
      field: 'branches',
      message: `branches are for decisions: step "${name}" is ${type}.`,
    };
  }
  if (type === 'batchable') {
    const wrong =
      ranges === undefined
        ? `ranges must list those that the work of step "${name}" is divided into, or none: [{ "start": 0, "end": 100 }].`
        : wrongRanges(ranges);
    return wrong === undefined ? undefined : { field: 'ranges', message: wrong };
  }
  return ranges === undefined
    ? undefined
    : { field: 'ranges', message: `ranges are for batchable steps: step "${name}" is ${type}.` };
}

/** True for what {@link Steering} may hold; signals may carry something else. */
export function isSteering(
  value: Readonly<Partial<Record<keyof Steering, unknown>>>,
): value is Steering {
  const { branches, ranges } = value;
  return (
    (branches === undefined || (Array.isArray(branches) && branches.every(isText))) &&
    (ranges === undefined || (Array.isArray(ranges) && ranges.every(isRange)))
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isRange(value: unknown): value is BatchRange {
  return (
    typeof value === 'object' &&
    value !== null &&
    'start' in value &&
    typeof value.start === 'number' &&
    'end' in value &&
    typeof value.end === 'number'
  );
}
