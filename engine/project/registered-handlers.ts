import { callerSite } from '../../src/definition/call-site.js';
import { defineStepHandler, type HandlerMethod, type StepHandler } from '../../src/task/handler.js';

/** Where handlers are that code has registered, whichever copy of this package it called. */
const REGISTERED = Symbol.for('millrace.registered_step_handlers');

/** Shared by all copies of this package in the process. */
const shared = globalThis as unknown as Record<symbol, StepHandler[] | undefined>;

/**
 * Registers a handler that no module of `handlers/` exports: one that is made in a loop, comes from a package, or is a plain function.
 * Call it in a module that the project loads, such as `millrace.config.ts`.
 *
 * @example
 * ```ts
 * for (const carrier of carriers) register(`ship_by_${carrier.name}`, ({ getTaskField }) => carrier.ship(getTaskField('order_id')));
 * ```
 */
export function register(handler: StepHandler): StepHandler;
export function register(name: string, run: HandlerMethod): StepHandler;
export function register(handler: StepHandler | string, run?: HandlerMethod): StepHandler {
  const site = callerSite();
  const registered =
    typeof handler === 'string'
      ? {
          // What is no function is told of when the project is loaded.
          ...defineStepHandler({ name: handler, run: run as HandlerMethod }),
          ...(site !== undefined && { site }),
        }
      : handler;
  shared[REGISTERED] = [...(shared[REGISTERED] ?? []), registered];
  return registered;
}

/** What was registered since this was called last. */
export function takeRegistered(): readonly StepHandler[] {
  const registered = shared[REGISTERED] ?? [];
  shared[REGISTERED] = [];
  return registered;
}
