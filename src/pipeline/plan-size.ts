import { jsonBytes } from '../definition/json.js';
import { PLAN_LIMITS } from './plan.js';
import type { ProblemList } from './problem-list.js';

/**
 * Tells of a plan that is too large, or so large that runs become slower.
 *
 * @param hint - what to do about it
 */
export function checkPlanSize(plan: unknown, hint: string, problems: ProblemList): void {
  const bytes = jsonBytes(plan);
  const size = `its plan has ${String(bytes)} bytes`;
  if (bytes > PLAN_LIMITS.maxBytes) {
    problems.add(
      [],
      `${size}; the most is ${String(PLAN_LIMITS.maxBytes)} (maxPlanBytes). ${hint}`,
    );
  } else if (bytes > PLAN_LIMITS.warnBytes) {
    problems.add(
      [],
      `${size}, and every run stores it; above ${String(PLAN_LIMITS.warnBytes)} runs become slower. ${hint}`,
      'warning',
    );
  }
}
