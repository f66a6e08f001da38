import type { z } from 'zod';
import { DEFINITION, type Branded } from './brand.js';
import { callerSite } from './call-site.js';
import type { Duration } from './duration.js';
import type { Site } from './problem.js';

/** What {@link defineWorkflow} takes. */
export interface WorkflowDefinition<I extends z.ZodObject, P extends z.ZodType> {
  /** The name of the exported workflow function, which is its workflow type. */
  readonly name: string;
  readonly description?: string;
  /** What the workflow function's one argument is. Checked before a run starts. */
  readonly input: I;
  /** What the workflow function returns. Described to clients; not checked. */
  readonly output: P;
  /** Longest time of a run; 15 minutes unless set. */
  readonly timeout?: Duration;
}

/** A hand-written Temporal workflow that gets the same HTTP API as a pipeline. Made by {@link defineWorkflow}. */
export interface Workflow<I extends z.ZodObject = z.ZodObject, P extends z.ZodType = z.ZodType>
  extends Branded<'workflow'>, WorkflowDefinition<I, P> {
  readonly site?: Site;
}

/** The keys of {@link WorkflowDefinition}, and the place that `defineWorkflow` adds. */
export const WORKFLOW_KEYS: readonly string[] = Object.keys({
  name: true,
  description: true,
  input: true,
  output: true,
  timeout: true,
  site: true,
} satisfies Record<Exclude<keyof Workflow, symbol>, true>);

/**
 * Declares a hand-written Temporal workflow. Put it beside the workflow's file, in `workflows/<name>.contract.ts`: zod must
 * stay out of workflow code, so files of that form are not part of the workflow bundle.
 *
 * @example
 * ```ts
 * export const greet = defineWorkflow({
 *   name: 'greet',
 *   input: z.object({ name: z.string() }),
 *   output: z.object({ greeting: z.string() }),
 * });
 * ```
 */
export function defineWorkflow<I extends z.ZodObject, P extends z.ZodType>(
  definition: WorkflowDefinition<I, P>,
): Workflow<I, P> {
  const site = callerSite();
  return { [DEFINITION]: 'workflow', ...definition, ...(site !== undefined && { site }) };
}
