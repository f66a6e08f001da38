import type { JsonObject } from '../definition/json.js';
import type { PipelinePlace } from './pipeline-catalog.js';
import type { AttributePipeline, OnError } from './pipeline.js';
import type { AttributeRunEnd, RunCounts } from './run.js';

/** The version of the rules by which the workflow runs an attribute pipeline. Version n stays in the code until no run can hold it. */
export const ATTRIBUTE_INTERPRETER = 1;

/** Names of the activities of attribute pipelines. */
export const BEGIN_ATTRIBUTES_ACTIVITY = 'millrace.beginAttributeRun';
export const COMPUTE_ATTRIBUTES_ACTIVITY = 'millrace.computeAttributes';
export const END_ATTRIBUTES_ACTIVITY = 'millrace.endAttributeRun';
export const RECONCILE_ATTRIBUTES_ACTIVITY = 'millrace.reconcileAttributes';

/** Tells a run that waits for a budget that there is another one. */
export const BUDGET_CHANGED_SIGNAL = 'budget_changed';

/** Longest that a run takes, waits for budgets and other runs included. */
export const ATTRIBUTE_RUN_TIMEOUT_MS = 7 * 24 * 60 * 60_000;

/** A pipeline as it was when a run of it began: a change reaches the runs that begin after it. */
export interface AttributePlan extends PipelinePlace {
  readonly pipelineId: string;
  readonly attributeId: string;
  readonly version: number;
  readonly onError: OnError;
  /** Names of the attributes that it reads. */
  readonly inputs: readonly string[];
  readonly modules: readonly { readonly module: string; readonly settings: JsonObject }[];
}

/** What a run begins with. */
export interface AttributesBegun {
  readonly plan: AttributePlan;
  /** Entities that it is going to look at, as far as that is known at its beginning. */
  readonly total: number;
  /** Whether the pipeline's evals are to be run after it. */
  readonly evals: boolean;
}

/** The one argument of an attribute pipeline's workflow. */
export interface AttributeArguments extends PipelinePlace {
  readonly interpreter: typeof ATTRIBUTE_INTERPRETER;
  readonly kind: 'attribute_pipeline';
  /** A ULID: the catalog has what it was asked for. */
  readonly run: string;
  /** Of the whole run. */
  readonly timeoutMs: number;
  /** Waits for the end of another run of the pipeline, instead of being refused. */
  readonly queue?: boolean;
  /** What it has begun with, where a run continues as new. */
  readonly begun?: AttributesBegun;
}

/** What one activity is to compute. */
export interface ComputeTask {
  readonly run: string;
  readonly begun: AttributesBegun;
}

/** The entity that has ended a run. */
export interface EntityFailure {
  readonly entityId: string;
  readonly module: string;
  readonly message: string;
}

/** What a run has used up, and may go on with when somebody gives it more. */
export interface BudgetReached {
  readonly kind: 'run' | 'day';
  readonly budget: number;
  readonly spent: number;
}

/** How far a run is. */
export interface AttributeProgress extends RunCounts {
  readonly total: number;
  /** Null where no model was asked, as the other. */
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  /** Null where no model that was asked has a price. */
  readonly cost: number | null;
  readonly entitiesPerSecond: number;
}

/** What has come of an activity. */
export interface ComputeOutcome {
  /** There is nothing more to look at, or a failure has ended it. */
  readonly done: boolean;
  readonly attributes: AttributeProgress;
  readonly failure?: EntityFailure;
  /** It has stopped for this. */
  readonly budget?: BudgetReached;
}

/** What a run has come to, as its workflow returns it. */
export interface AttributeResult extends RunCounts {
  readonly run: string;
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  readonly cost: number | null;
}

/** How a run is to be closed in the catalog. */
export interface EndAttributesTask {
  readonly run: string;
  readonly status: AttributeRunEnd;
  readonly message: string | null;
  /** Has the pipelines run that read what was written; not so where a refresh has started the run, which does so itself. */
  readonly follow?: boolean;
}

/** What a run's workflow is started with. @param queue - it waits for the end of another run */
export function attributeArguments(
  run: string,
  { entityType, attribute }: PipelinePlace,
  queue: boolean,
): AttributeArguments {
  return {
    interpreter: ATTRIBUTE_INTERPRETER,
    kind: 'attribute_pipeline',
    entityType,
    attribute,
    run,
    timeoutMs: ATTRIBUTE_RUN_TIMEOUT_MS,
    ...(queue && { queue }),
  };
}

/** A pipeline's plan. */
export function attributePlan({
  id: pipelineId,
  entityType,
  attribute,
  attributeId,
  version,
  onError,
  inputs,
  modules,
}: AttributePipeline): AttributePlan {
  return {
    pipelineId,
    entityType,
    attribute,
    attributeId,
    version,
    onError,
    inputs,
    modules: modules.map(({ module, settings }) => ({ module, settings })),
  };
}

/** True for the argument of an attribute pipeline's workflow that this code can run. */
export function isAttributeArguments(value: unknown): value is AttributeArguments {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    value.kind === 'attribute_pipeline' &&
    'interpreter' in value &&
    value.interpreter === ATTRIBUTE_INTERPRETER
  );
}
