import { isDefinition } from '../definition/brand.js';
import { isPlainObject } from '../definition/json.js';
import type { StepHandler } from './handler.js';
import { handlerName, isHandlerUse } from './step-check.js';
import type { Task } from './task.js';

/** The names of the handlers that a template uses, as far as it can be understood. */
export function handlerNames(task: Task): readonly string[] {
  return callables(task).flatMap((callable) => handlerName(callable) ?? []);
}

/** The handlers that a template uses as objects, whether anything exports them or not. */
export function handlersInHand(task: Task): readonly StepHandler[] {
  return callables(task).filter((callable): callable is StepHandler =>
    isDefinition(callable, 'step_handler'),
  );
}

function callables({ written: { steps, environments } }: Task): readonly unknown[] {
  const overrides = isPlainObject(environments) ? Object.values(environments) : [];
  const lists = [steps, ...overrides.map((one) => (isPlainObject(one) ? one['steps'] : undefined))];
  // It may be anything in JavaScript.
  return lists.flatMap(inList);
}

function inList(steps: unknown): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(steps) ? steps : [];
  return list.flatMap((step) => {
    const handler = isPlainObject(step) ? step['handler'] : undefined;
    return [isHandlerUse(handler) ? handler['callable'] : handler];
  });
}
