import type { Json, JsonObject } from '../definition/json.js';
import type { PipelinePlace } from './pipeline-catalog.js';
import type { AttributePlan } from './plan.js';
import type { RunUsage } from './run-catalog.js';

/** The workflows that ask a pipeline something beside its runs. */
export const EVALUATE_WORKFLOW = 'evaluateAttributes';
export const TRY_WORKFLOW = 'tryAttributePipeline';

/** Names of their activities. */
export const EVALS_ACTIVITY = 'millrace.runAttributeEvals';
export const TRY_ACTIVITY = 'millrace.tryAttributePipeline';

/** Which evals are to be run. */
export interface EvalTask extends PipelinePlace {
  /** Also those whose entities have not changed since. */
  readonly all: boolean;
  /** Those that have run since are done: ISO 8601. */
  readonly since: string;
}

/** What has come of a pipeline's evals. */
export interface EvalReport {
  readonly evals: number;
  /** Of those that there are, also of those that needed no run. */
  readonly passed: number;
  readonly ran: number;
  /** That were not looked at, since the day's budget of the pipeline is used up: they are as they were. */
  readonly leftOut: number;
}

/** Modules that are to be tried on an entity. Nothing is saved. */
export interface TryTask {
  readonly plan: AttributePlan;
  readonly entityId: string;
}

/** What they have come to. */
export interface TryReport {
  readonly status: 'ok' | 'skipped' | 'error';
  /** What the sources have given. */
  readonly inputs: JsonObject;
  readonly value: Json;
  readonly confidence: number | null;
  readonly justification: string | null;
  readonly meta: JsonObject;
  readonly warnings: readonly string[];
  readonly usage: readonly RunUsage[];
  /** Why there is no value. */
  readonly message: string | null;
  /** That has ended it. */
  readonly module: string | null;
}
