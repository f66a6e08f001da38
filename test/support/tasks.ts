import type { Run } from '../../engine/run.js';
import { stepsOf, type StepProgress } from '../../src/progress/task-progress.js';
import { defineStepHandler, type StepHandler } from '../../src/task/handler.js';
import { success } from '../../src/task/step-result.js';

/** Tells its name and what it got, to those that depend on it. */
export function teller(name: string): StepHandler {
  return defineStepHandler({
    name,
    run: ({ step, getAllDependencyResults }) =>
      success({ step: step.name, after: getAllDependencyResults().map((one) => one.name) }),
  });
}

/** Never ends, whatever its signal says. */
export const ENDLESS = defineStepHandler({
  name: 'endless',
  run: () => new Promise<never>(() => undefined),
});

/** The steps of a run of a task, as they are now. */
export async function stepsOfRun(run: Run): Promise<readonly StepProgress[]> {
  const { progress } = await run.describe();
  if (progress?.task === undefined) throw new Error(`${run.id} is no task`);
  return stepsOf(progress.task);
}

/** Where each step of a run of a task is. */
export async function statesOf(run: Run): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await stepsOfRun(run)).map(({ name, status }) => [name, status]));
}
