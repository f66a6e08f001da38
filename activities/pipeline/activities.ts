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
import type { ActivityDependencies } from '../dependencies.js';
import { ignores } from './ignores.js';
import { checkResult } from './check-result.js';
import { runOperation } from './run-operation.js';
import { runQuick } from './run-quick.js';

/** The activities of pipelines. `default` serves every activity type without a function of its own: the operations. */
export interface PipelineActivities {
  readonly [QUICK_ACTIVITY]: (task: QuickTask) => Promise<QuickOutcome>;
  readonly [IGNORES_ACTIVITY]: (task: IgnoresTask) => Promise<IgnoresDecision>;
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
    [RESULT_ACTIVITY]: async (task) => checkResult(task),
    default: (task) => runOperation(deps, task),
  };
}
