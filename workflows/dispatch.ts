import { workflowInfo } from '@temporalio/workflow';
import { isAttributeArguments } from '../src/attribute-pipeline/plan.js';
import { isFlowArguments } from '../src/data-flow/run.js';
import { FAILURE_TYPES } from '../src/pipeline/failure.js';
import { INTERPRETER } from '../src/pipeline/plan.js';
import type { PipelineArguments } from '../src/pipeline/start.js';
import { isRecordArguments } from '../src/record-pipeline/plan.js';
import { isTaskArguments } from '../src/task/plan.js';
import { interpretAttributePipeline } from './attribute-pipeline.js';
import { interpretDataFlow } from './data-flow.js';
import { applicationFailure } from './failure.js';
import { interpretPipeline } from './pipeline.js';
import { interpretRecordPipeline } from './record-pipeline.js';
import { interpretTask } from './task.js';

/**
 * The workflow of every definition: Temporal runs it for each type that has no workflow function of its own. The plan
 * in its argument says what to do, and which version of the interpreter does it. It is no `async` function, which would
 * have two promises more: the SDK records a stack trace for each.
 */
export function runPlan(argument: unknown): Promise<unknown> {
  if (isPipelineArguments(argument)) return interpretPipeline(argument);
  if (isTaskArguments(argument)) return interpretTask(argument);
  if (isFlowArguments(argument)) return interpretDataFlow(argument);
  if (isRecordArguments(argument)) return interpretRecordPipeline(argument);
  if (isAttributeArguments(argument)) return interpretAttributePipeline(argument);
  const { workflowType } = workflowInfo();
  const message =
    `Workflow type "${workflowType}" was started without a plan that this worker can interpret (interpreter ${String(INTERPRETER)}). ` +
    'Start it through the engine or the HTTP API, or upgrade the worker.';
  throw applicationFailure({ type: FAILURE_TYPES.planRefused, message, retryable: false });
}

function isPipelineArguments(argument: unknown): argument is PipelineArguments {
  if (
    typeof argument !== 'object' ||
    argument === null ||
    !('plan' in argument) ||
    !('input' in argument)
  )
    return false;
  const { plan } = argument;
  return (
    typeof plan === 'object' &&
    plan !== null &&
    'kind' in plan &&
    plan.kind === 'pipeline' &&
    'interpreter' in plan &&
    plan.interpreter === INTERPRETER
  );
}
