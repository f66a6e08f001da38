import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { AttributePipelineActivities } from '../activities/attribute-pipeline/activities.js';
import {
  EVALS_ACTIVITY,
  TRY_ACTIVITY,
  type EvalReport,
  type EvalTask,
  type TryReport,
  type TryTask,
} from '../src/attribute-pipeline/asked-pipeline.js';
import { onTheCurrentBuild } from './current-build.js';

/** A worker that is silent for so long is taken for lost. */
const HEARTBEAT_TIMEOUT = '10s';

const { [EVALS_ACTIVITY]: evals } = proxyActivities<AttributePipelineActivities>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  // Those that have run are not run again.
  retry: { maximumAttempts: 3, initialInterval: '1s' },
});

/** Somebody waits for it. */
const { [TRY_ACTIVITY]: tryIt } = proxyActivities<AttributePipelineActivities>({
  startToCloseTimeout: '5m',
  scheduleToStartTimeout: '20s',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { maximumAttempts: 1 },
});

/** Runs the evals of a pipeline. */
export async function evaluateAttributes(task: EvalTask): Promise<EvalReport> {
  return evals(task);
}

/** Takes an entity through modules that are not saved. */
export async function tryAttributePipeline(task: TryTask): Promise<TryReport> {
  return tryIt(task);
}

setWorkflowOptions(onTheCurrentBuild, evaluateAttributes);
setWorkflowOptions(onTheCurrentBuild, tryAttributePipeline);
