import type { JsonObject } from '../definition/json.js';
import type { PipelinePlan } from './plan.js';

/** The one argument of a pipeline's workflow. */
export interface PipelineArguments {
  readonly plan: PipelinePlan;
  readonly input: JsonObject;
  /** Who started the run, where the server authenticates. */
  readonly principal?: string;
}
