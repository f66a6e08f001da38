import { callHandler, stepFailureOf } from '../activities/task/step-body.js';
import type { StepHandler } from '../src/task/handler.js';
import { error, type StepResult } from '../src/task/step-result.js';
import { buildStepContext, type StepContextOptions } from './step-context.js';

/** How a handler is run in a test. */
export interface RunStepOptions extends StepContextOptions {
  /** The handler's function; `run` unless set. */
  readonly method?: string;
}

/**
 * Runs a handler once, as a step does, without Temporal. What it throws is an error as what it returns as one; plain data is a success.
 * A handler of type `api` calls its API: give it the address of a double, by its `baseUrl`.
 *
 * @example
 * ```ts
 * const result = await runStep(chargeCard, { taskFields: { amount: 5 } });
 * ```
 */
export async function runStep(
  handler: StepHandler,
  options: RunStepOptions = {},
): Promise<StepResult> {
  try {
    return await callHandler(handler, buildStepContext(options), options.method);
  } catch (thrown) {
    const { type, message, retryable, details } = stepFailureOf(thrown);
    return error({ type, message, retryable, ...(details !== undefined && { details }) });
  }
}
