import { compileTask } from '../../../src/task/compile.js';
import {
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
} from '../../../src/task/handler.js';
import type { FailureStrategy, StepType, TaskPlan } from '../../../src/task/plan.js';
import { batches, branches } from '../../../src/task/step-result.js';
import { defineTask, type Lifecycle, type TaskStep } from '../../../src/task/task.js';
import type { TaskState } from '../../../src/task/step-state.js';
import { TaskSteps } from '../../../src/task/task-steps.js';

const HANDLERS = [
  defineStepHandler({ name: 'work', run: () => ({}) }),
  defineDecisionHandler({ name: 'choose', run: () => branches([]) }),
  defineBatchableHandler({ name: 'divide', run: () => batches([]) }),
];

/** The plan of a task with these steps, compiled. Those that name no handler get one that fits. */
export function planOf(steps: readonly TaskStep[], lifecycle: Lifecycle = {}): TaskPlan {
  const definition = defineTask({
    name: 'fulfil-order',
    lifecycle,
    steps: steps.map((step) => {
      const handler = step.handler ?? handlerFor(step.type);
      return { ...step, ...(handler !== undefined && { handler }) };
    }),
  });
  const handlers = new Map(HANDLERS.map((handler) => [handler.name, handler]));
  const { task, problems } = compileTask({ definition, locate: () => undefined }, { handlers });
  if (task === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return task.plan;
}

/** A task of one batch, and a step that depends on it. */
export function batchPlan(failureStrategy: FailureStrategy, parallelism = 10): TaskPlan {
  return planOf([
    {
      name: 'split',
      type: 'batchable',
      batchConfig: { workerTemplate: 'load', parallelism, failureStrategy },
    },
    { name: 'load', type: 'batch_worker', dependencies: ['split'] },
    { name: 'report', dependencies: ['load'] },
  ]);
}

function handlerFor(type: StepType = 'standard'): string | undefined {
  switch (type) {
    case 'approval':
      return undefined;
    case 'decision':
      return 'choose';
    case 'batchable':
      return 'divide';
    default:
      return 'work';
  }
}

/** The steps of a task of which none has begun. */
export function taskOf(...steps: readonly TaskStep[]): TaskSteps {
  return new TaskSteps(planOf(steps));
}

/** The names of those that may start now. */
export function ready(steps: TaskSteps): readonly string[] {
  return steps.ready.map(({ name }) => name);
}

/** Starts steps and completes them at once, each with its name as its result. */
export function finish(steps: TaskSteps, ...names: readonly string[]): void {
  for (const name of names) {
    steps.start(name);
    steps.complete(name, { result: `of ${name}` });
  }
}

/** Starts a decision, and lets it choose. */
export function choose(steps: TaskSteps, decision: string, ...chosen: readonly string[]): void {
  steps.start(decision);
  steps.complete(decision, { result: { branches: chosen }, branches: chosen });
}

/** Starts a batchable step, and lets it make as many ranges of ten items each. */
export function divide(steps: TaskSteps, batchable: string, count: number): void {
  const ranges = Array.from({ length: count }, (_, at) => ({ start: at * 10, end: at * 10 + 10 }));
  steps.start(batchable);
  steps.complete(batchable, { result: { count }, ranges });
}

/** Starts a step, and lets it fail. */
export function fail(steps: TaskSteps, name: string, message = `${name} broke`): void {
  steps.start(name);
  steps.fail(name, { type: 'Broken', message, retryable: false });
}

/** All that steps answer, with names for steps. */
export function answersOf(steps: TaskSteps): unknown {
  const names = (instances: readonly { readonly name: string }[]): readonly string[] =>
    instances.map(({ name }) => name);
  return {
    instances: steps.instances.map(({ name, range }) => ({
      name,
      range,
      status: steps.statusOf(name),
    })),
    ready: names(steps.ready),
    inProgress: names(steps.inProgress),
    toBeCancelled: names(steps.toBeCancelled),
    failed: names(steps.failed),
    waiting: names(steps.waiting),
    end: steps.end,
    results: steps.results,
  };
}

/** The steps as they are after their state was carried over JSON. */
export function carried(plan: TaskPlan, steps: TaskSteps): TaskSteps {
  return new TaskSteps(plan, JSON.parse(JSON.stringify(steps.state)) as TaskState);
}
