import { Context } from '@temporalio/activity';
import type { OperationTask } from '../src/pipeline/operation-task.js';
import type { ActivityDependencies } from './dependencies.js';
import {
  createAttributePipelineActivities,
  type AttributePipelineActivities,
} from './attribute-pipeline/activities.js';
import { createDataFlowActivities, type DataFlowActivities } from './data-flow/activities.js';
import { createOutcomeActivities, type OutcomeActivities } from './outcome/activities.js';
import { createPipelineActivities, type PipelineActivities } from './pipeline/activities.js';
import {
  createRecordPipelineActivities,
  type RecordPipelineActivities,
} from './record-pipeline/activities.js';
import {
  createRecordStoreActivities,
  type RecordStoreActivities,
} from './record-store/activities.js';
import { isStepInput, stepTaskOf } from '../src/task/step-input.js';
import { runActivity } from './project/run-activity.js';
import { runStep } from './task/run-step.js';

/** Everything that a worker can run. `default` serves every activity type without a function of its own. */
export type Activities = Omit<PipelineActivities, 'default'> &
  OutcomeActivities &
  DataFlowActivities &
  RecordPipelineActivities &
  RecordStoreActivities &
  AttributePipelineActivities & {
    readonly default: (...args: readonly unknown[]) => Promise<unknown>;
  };

/** Creates all activities of a worker. */
export function createActivities(deps: ActivityDependencies): Activities {
  const pipeline = createPipelineActivities(deps);
  return {
    ...createOutcomeActivities(deps),
    ...createDataFlowActivities(deps),
    ...createRecordPipelineActivities(deps),
    ...createRecordStoreActivities(deps),
    ...createAttributePipelineActivities(deps),
    ...pipeline,
    // Operations and the project's activities are looked up for each task, so that a reload needs no new worker.
    default: async (...args) => {
      const { activityId, activityType, workflowType = '' } = Context.current().info;
      const [task] = args;
      if (isOperationTask(task, activityType)) return pipeline.default(task);
      if (isStepInput(task, activityId))
        return runStep(deps, stepTaskOf(task, { task: workflowType, callable: activityType }));
      return runActivity(deps, activityType, args);
    },
  };
}

/** True for what the interpreter of plans sends. */
function isOperationTask(value: unknown, activityType: string): value is OperationTask {
  if (typeof value !== 'object' || value === null || !('operation' in value)) return false;
  const { operation } = value;
  return (
    'inputs' in value &&
    typeof operation === 'object' &&
    operation !== null &&
    'contractHash' in operation &&
    'type' in operation &&
    operation.type === activityType
  );
}
