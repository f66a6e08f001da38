import type { FlowRecord, FlowRunRecord, FlowRunRef } from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { ConfigurationInvalid, parseConfiguration } from '../../src/data-flow/configuration.js';
import type { FlowRequest } from '../../src/data-flow/request.js';
import { flowPlan, PLAN_HINT } from '../../src/data-flow/plan.js';
import type { Begun, FlowPlan } from '../../src/data-flow/run.js';
import { jsonBytes, type JsonObject } from '../../src/definition/json.js';
import { PLAN_LIMITS } from '../../src/pipeline/plan.js';
import { isPermanent, permanent } from '../../src/pipeline/permanent.js';
import type { ActivityDependencies } from '../dependencies.js';
import { applicationFailure, failureOf } from '../failure.js';
import { flowCode, flowDependencies } from './flow-code.js';

/**
 * Finds out what a run does, by the deployed code and the catalog's settings, and records that it has begun.
 *
 * @throws ApplicationFailure, not retryable where the settings or the flow's own code make a run impossible
 */
export async function beginFlowRun(deps: ActivityDependencies, ref: FlowRunRef): Promise<Begun> {
  const flow = flowCode(deps, ref.flow);
  const catalog = await flowDependencies(deps).catalog();
  const [record, run] = [await catalog.flow(ref.flow), await catalog.run(ref.flow, ref.runSeq)];
  if (record === undefined || run === undefined || run.endedAt !== null) return { over: true };
  const plan = planOrFail(flow, run, record);
  // A plan is JSON: what is undefined in it was left out.
  const begun = { plan: plan as unknown as JsonObject, now: new Date() };
  const position = await catalog.begin(ref, begun);
  return position === undefined ? { over: true } : { plan };
}

function planOrFail(
  flow: CompiledDataFlow,
  { trigger, scheduledAt }: FlowRunRecord,
  { id, configuration }: FlowRecord,
): FlowPlan {
  try {
    const request: FlowRequest = {
      configuration: parseConfiguration(flow, configuration),
      trigger,
      scheduledAt: scheduledAt ?? undefined,
    };
    const plan: FlowPlan = { flowId: id, ...flowPlan(flow, request) };
    checkSize(plan);
    return plan;
  } catch (error) {
    // It would be the same at the next attempt.
    const wrong = isPermanent(error)
      ? error
      : error instanceof ConfigurationInvalid
        ? permanent(error.message, undefined, error.name)
        : permanent(
            error instanceof Error ? error.message : String(error),
            undefined,
            'PlanFailed',
          );
    throw applicationFailure(failureOf(wrong), error);
  }
}

/** @throws an error that names the limit: a plan is part of every activity of its run */
function checkSize(plan: FlowPlan): void {
  const bytes = jsonBytes(plan);
  if (bytes <= PLAN_LIMITS.maxBytes) return;
  throw permanent(
    `The plan of this run has ${String(bytes)} bytes; the most is ${String(PLAN_LIMITS.maxBytes)} (maxPlanBytes). ${PLAN_HINT}`,
    undefined,
    'PlanTooLarge',
  );
}
