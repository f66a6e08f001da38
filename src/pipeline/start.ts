import type { JsonObject } from '../definition/json.js';
import type { PipelinePlan } from './plan.js';

/** The one argument of a pipeline's workflow. */
export interface PipelineArguments {
  readonly plan: PipelinePlan;
  readonly input: JsonObject;
  /** Who started the run, where the server authenticates. */
  readonly principal?: string;
}

/** The argument of the workflow of a pipeline, or of a task. */
export function startArguments<Plan>(
  plan: Plan,
  input: JsonObject,
  principal: string | undefined,
): {
  readonly plan: Plan;
  readonly input: JsonObject;
  readonly principal?: string;
} {
  // The Temporal UI shows the argument from its beginning: what a person looks for comes first.
  return { input, ...(principal !== undefined && { principal }), plan };
}

/** Temporal's own limit of a run's summary, which its UI shows behind the run's name. */
const MAX_SUMMARY_BYTES = 200;

/** A definition's description as the summary of its runs: as much as Temporal takes, without half a character at the end. */
export function startSummary(description: string): string {
  const { read } = new TextEncoder().encodeInto(description, new Uint8Array(MAX_SUMMARY_BYTES));
  return description.slice(0, read);
}

/** The name of the activity that gives a workflow the plan of a pipeline, to run it as its child. */
export const PLAN_ACTIVITY = 'millrace.planPipeline';

/** Asks for a pipeline's plan, for a run with an input. */
export interface PlanRequest {
  readonly pipeline: string;
  readonly input: JsonObject;
}

/** What a run of a pipeline is started with. */
export interface PlannedPipeline {
  readonly plan: PipelinePlan;
  readonly description?: string;
}
