import {
  IGNORES_ACTIVITY,
  QUICK_ACTIVITY,
  RESULT_ACTIVITY,
  type IgnoresDecision,
  type IgnoresTask,
  type OperationOutcome,
  type OperationTask,
  type QuickOutcome,
  type QuickTask,
  type ResultDecision,
  type ResultTask,
} from '../../src/pipeline/operation-task.js';
import { PLAN_ACTIVITY, type PlannedPipeline, type PlanRequest } from '../../src/pipeline/start.js';
import type { ActivityDependencies } from '../dependencies.js';
import { ignores } from './ignores.js';
import { planPipeline } from './plan-pipeline.js';
import { checkResult } from './check-result.js';
import { runOperation } from './run-operation.js';
import { runQuick } from './run-quick.js';

/** The activities of pipelines. `default` is that of all operations. */
export interface PipelineActivities {
  readonly [QUICK_ACTIVITY]: (task: QuickTask) => Promise<QuickOutcome>;
  readonly [IGNORES_ACTIVITY]: (task: IgnoresTask) => Promise<IgnoresDecision>;
  readonly [PLAN_ACTIVITY]: (request: PlanRequest) => Promise<PlannedPipeline>;
  readonly [RESULT_ACTIVITY]: (task: ResultTask) => Promise<ResultDecision>;
  readonly default: (task: OperationTask) => Promise<OperationOutcome>;
}

/** Creates the activities of pipelines. */
export function createPipelineActivities(deps: ActivityDependencies): PipelineActivities {
  return {
    [QUICK_ACTIVITY]: (task) => runQuick(deps, task),
    [IGNORES_ACTIVITY]: async (task) => ({
      place: task.place,
      ignored: ignores(deps, task, task.failure),
    }),
    [PLAN_ACTIVITY]: async (request) => planPipeline(deps, request),
    [RESULT_ACTIVITY]: async (task) => checkResult(task),
    default: (task) => runOperation(deps, task),
  };
}
