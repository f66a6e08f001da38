import type { JsonObject } from '../definition/json.js';
import type { PipelinePlan } from './plan.js';

/** The one argument of a pipeline's workflow. */
export interface PipelineArguments {
  readonly plan: PipelinePlan;
  readonly input: JsonObject;
  /** Who started the run, where the server authenticates. */
  readonly principal?: string;
}

/** The argument of a pipeline's workflow. */
export function pipelineArguments(
  plan: PipelinePlan,
  input: JsonObject,
  principal: string | undefined,
): PipelineArguments {
  // The Temporal UI shows the argument from its beginning: what a person looks for comes first.
  return { input, ...(principal !== undefined && { principal }), plan };
}

/** Longest summary of a run, in characters: what the Temporal UI shows behind its name. */
const MAX_SUMMARY_CHARACTERS = 200;

/** A definition's description as the summary of its runs. */
export function startSummary(description: string): string {
  return description.slice(0, MAX_SUMMARY_CHARACTERS);
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
