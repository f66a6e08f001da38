import { Context } from '@temporalio/activity';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { FlowRequest } from '../../src/data-flow/request.js';
import type { FlowPlan } from '../../src/data-flow/run.js';
import { FAILURE_TYPES } from '../../src/pipeline/failure.js';
import type { ActivityDependencies, FlowDependencies } from '../dependencies.js';
import { applicationFailure } from '../failure.js';
import { runReference } from '../run-reference.js';

/** What this worker has to run data flows. */
export function flowDependencies({ flows }: ActivityDependencies): FlowDependencies {
  if (flows !== undefined) return flows;
  throw notRegistered('This worker cannot run data flows.');
}

/** The deployed code of a flow. @throws ApplicationFailure `FlowNotRegistered`, which the workflow waits out */
export function flowCode(deps: ActivityDependencies, name: string): CompiledDataFlow {
  const flow = deps.code.dataFlow(name);
  if (flow !== undefined) return flow;
  const { id } = runReference(Context.current().info, undefined);
  deps.log.warn(
    { run: id, flow: name },
    'this worker lacks a data flow that a run needs; the run waits for a worker that has it',
  );
  throw notRegistered(`This worker's code has no data flow "${name}".`);
}

/** What a run was started with, from its plan. */
export function requestOf({ configuration, trigger, scheduledAt }: FlowPlan): FlowRequest {
  return {
    configuration,
    trigger,
    scheduledAt: scheduledAt === undefined ? undefined : new Date(scheduledAt),
  };
}

/** The workflow asks other workers: Temporal's own retries would count attempts. */
function notRegistered(message: string): Error {
  return applicationFailure({ type: FAILURE_TYPES.flowNotRegistered, message, retryable: false });
}
