import { readTask } from '../../../engine/project/task-file.js';
import { ContractViolation } from '../../../src/contract/violation.js';
import type { JsonObject } from '../../../src/definition/json.js';
import { formatProblem } from '../../../src/definition/problem.js';
import { compileTask, type CompiledTask, type TaskSource } from '../../../src/task/compile.js';
import {
  defineApiHandler,
  defineBatchableHandler,
  defineDecisionHandler,
  defineStepHandler,
  type StepHandler,
} from '../../../src/task/handler.js';
import type { StepPlan } from '../../../src/task/plan.js';
import { batches, branches, success } from '../../../src/task/step-result.js';
import { defineTask, type TaskDefinition } from '../../../src/task/task.js';

/** A handler with another method than `run`. */
export const charge = defineStepHandler({
  name: 'charge',
  run: () => success({}),
  methods: { refund: () => success({}) },
});

const HANDLERS: readonly StepHandler[] = [
  charge,
  defineStepHandler({ name: 'ship', run: () => success({}) }),
  defineApiHandler({
    name: 'rates',
    baseUrl: 'https://rates.example',
    run: () => success({}),
  }),
  defineDecisionHandler({ name: 'choose', run: () => branches([]) }),
  defineBatchableHandler({ name: 'divide', run: () => batches({ total: 1 }) }),
];

export const STEP = { name: 'pay', handler: 'charge' } as const;
export const CHOICE = { name: 'pick', type: 'decision', handler: 'choose' } as const;
export const DIVIDER = {
  name: 'cut',
  type: 'batchable',
  handler: 'divide',
  batchConfig: { workerTemplate: 'load' },
} as const;
export const WORKER = {
  name: 'load',
  type: 'batch_worker',
  handler: 'ship',
  dependencies: ['cut'],
} as const;

function compileSource(
  source: TaskSource,
  environment: string | undefined,
): ReturnType<typeof compileTask> {
  return compileTask(source, {
    handlers: new Map(HANDLERS.map((handler) => [handler.name, handler])),
    ...(environment !== undefined && { environment }),
  });
}

/** Compiles a task whose places are the paths themselves. */
export function compile(written: object, environment?: string): ReturnType<typeof compileTask> {
  // What people write in JavaScript need not be what the types say.
  const parts: Partial<TaskDefinition> = written;
  const definition = defineTask({ name: 't', steps: [STEP], ...parts });
  return compileSource(
    { definition, locate: (path) => ({ file: path.join('.'), line: 1 }) },
    environment,
  );
}

/** What is wrong with a task of these parts, as a person reads it. */
export function messages(written: object, environment?: string): readonly string[] {
  return compile(written, environment).problems.map(formatProblem);
}

/** What is wrong with a task of these steps. */
export function wrong(...steps: readonly unknown[]): readonly string[] {
  return messages({ steps });
}

/** The task with these parts, which is expected to be right. */
export function compiled(written: Partial<TaskDefinition>, environment?: string): CompiledTask {
  const { task, problems } = compile(written, environment);
  if (task === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return task;
}

/** The plan of one step of it. */
export function planOf(
  name: string,
  written: Partial<TaskDefinition>,
  environment?: string,
): StepPlan | undefined {
  return compiled(written, environment).plan.steps.find((step) => step.name === name);
}

/** The violations that an input causes, in words. */
export function refusal(task: CompiledTask, input: JsonObject): string {
  try {
    task.checkInput(input);
  } catch (error) {
    if (error instanceof ContractViolation) return error.message;
    throw error;
  }
  return 'none';
}

/** Reads a task from YAML and compiles what was read, as loading a project does. */
export function load(
  text: string,
  environment?: string,
): { readonly task?: CompiledTask; readonly messages: readonly string[] } {
  const { source, problems } = readTask('t.yml', text);
  if (source === undefined) return { messages: problems.map(formatProblem) };
  const { task, problems: found } = compileSource(source, environment);
  return {
    ...(task !== undefined && { task }),
    messages: [...problems, ...found].map(formatProblem),
  };
}

/** What is wrong with a task in YAML. */
export function messagesOf(text: string): readonly string[] {
  return load(text).messages;
}

/** The task in YAML, which is expected to be right. */
export function taskOf(text: string, environment?: string): CompiledTask {
  const { task, messages: found } = load(text, environment);
  if (task === undefined || found.length > 0) throw new Error(found.join('\n'));
  return task;
}
