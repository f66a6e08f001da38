import {
  EVALS_ACTIVITY,
  TRY_ACTIVITY,
  type EvalReport,
  type EvalTask,
  type TryReport,
  type TryTask,
} from '../../src/attribute-pipeline/asked-pipeline.js';
import {
  BEGIN_ATTRIBUTES_ACTIVITY,
  COMPUTE_ATTRIBUTES_ACTIVITY,
  END_ATTRIBUTES_ACTIVITY,
  RECONCILE_ATTRIBUTES_ACTIVITY,
  type AttributesBegun,
  type ComputeOutcome,
  type ComputeTask,
  type EndAttributesTask,
} from '../../src/attribute-pipeline/plan.js';
import {
  PLAN_REFRESH_ACTIVITY,
  REQUEST_ATTRIBUTES_ACTIVITY,
  type RefreshQuestion,
  type RefreshRequest,
  type RefreshRun,
} from '../../src/attribute-pipeline/refresh.js';
import type { ActivityDependencies } from '../dependencies.js';
import { attributeDependencies } from './attribute-dependencies.js';
import { beginAttributeRun, requestAttributeRun } from './begin-attribute-run.js';
import { computeAttributes } from './compute-attributes.js';
import { runEvals } from './run-evals.js';
import { tryPipeline } from './try-pipeline.js';
import { endAttributeRun } from './end-attribute-run.js';

/** The activities of attribute pipelines. */
export interface AttributePipelineActivities {
  readonly [BEGIN_ATTRIBUTES_ACTIVITY]: (run: string) => Promise<AttributesBegun>;
  readonly [COMPUTE_ATTRIBUTES_ACTIVITY]: (task: ComputeTask) => Promise<ComputeOutcome>;
  readonly [END_ATTRIBUTES_ACTIVITY]: (task: EndAttributesTask) => Promise<void>;
  readonly [PLAN_REFRESH_ACTIVITY]: (question: RefreshQuestion) => Promise<readonly RefreshRun[]>;
  readonly [REQUEST_ATTRIBUTES_ACTIVITY]: (request: RefreshRequest) => Promise<void>;
  readonly [RECONCILE_ATTRIBUTES_ACTIVITY]: () => Promise<unknown>;
  readonly [EVALS_ACTIVITY]: (task: EvalTask) => Promise<EvalReport>;
  readonly [TRY_ACTIVITY]: (task: TryTask) => Promise<TryReport>;
}

/** Creates the activities of attribute pipelines. */
export function createAttributePipelineActivities(
  deps: ActivityDependencies,
): AttributePipelineActivities {
  return {
    [BEGIN_ATTRIBUTES_ACTIVITY]: (run) => beginAttributeRun(deps, run),
    [COMPUTE_ATTRIBUTES_ACTIVITY]: (task) => computeAttributes(deps, task),
    [END_ATTRIBUTES_ACTIVITY]: (task) => endAttributeRun(deps, task),
    [PLAN_REFRESH_ACTIVITY]: (question) => attributeDependencies(deps).control.plan(question),
    [REQUEST_ATTRIBUTES_ACTIVITY]: (request) => requestAttributeRun(deps, request),
    [EVALS_ACTIVITY]: (task) => runEvals(deps, task),
    [TRY_ACTIVITY]: (task) => tryPipeline(deps, task),
    [RECONCILE_ATTRIBUTES_ACTIVITY]: () => attributeDependencies(deps).control.reconcile(),
  };
}
