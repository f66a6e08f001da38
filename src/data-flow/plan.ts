import { checkPlanSize } from '../pipeline/plan-size.js';
import type { ProblemList } from '../pipeline/problem-list.js';
import type { CompiledDataFlow, FlowWork } from './compile.js';
import type { FlowRequest } from './request.js';
import type { FlowPlan, MovePlan } from './run.js';
import { isFunctionTransform } from './transform.js';

/** What of a plan does not depend on the catalog. */
export type CompiledFlowPlan = Omit<FlowPlan, 'flowId'>;

/**
 * What a run does that is asked for like this.
 *
 * @throws what the flow's own functions throw, and {@link OptionsInvalid}
 */
export function flowPlan(
  { work, retry }: Pick<CompiledDataFlow, 'work' | 'retry'>,
  request: FlowRequest,
): CompiledFlowPlan {
  const { trigger, scheduledAt, configuration } = request;
  return {
    trigger,
    ...(scheduledAt !== undefined && { scheduledAt: scheduledAt.toISOString() }),
    configuration,
    retry,
    work: work.kind === 'body' ? { kind: 'body' } : movePlan(work, request),
  };
}

function movePlan(work: Extract<FlowWork, { kind: 'move' }>, request: FlowRequest): MovePlan {
  const { batchSize, batchTimeoutMs, maxRejected, transform } = work;
  const [source, sink] = [work.source(request), work.sink(request)];
  return {
    kind: 'move',
    source: { class_name: source.connector.connectorName, options: source.options },
    sink: { class_name: sink.connector.connectorName, options: sink.options },
    ...(transform !== undefined &&
      !isFunctionTransform(transform) && {
        transform: { class_name: transform.transform.connectorName, options: transform.options },
      }),
    batchSize,
    batchTimeoutMs,
    maxRejected,
  };
}

/** What to do about a plan that is too large. */
export const PLAN_HINT =
  'Keep large values out of the configuration and the options: name a file instead.';

/** Tells of a flow whose runs would have a plan that is too large, as far as its defaults lead to one. */
export function checkFlowPlan(flow: CompiledDataFlow, problems: ProblemList): void {
  const request = {
    configuration: flow.defaults,
    trigger: 'manual',
    scheduledAt: undefined,
  } as const;
  let plan: CompiledFlowPlan;
  try {
    plan = flowPlan(flow, request);
  } catch {
    // What depends on a configuration that has no default is only known when a run begins.
    return;
  }
  checkPlanSize(plan, PLAN_HINT, problems);
}
