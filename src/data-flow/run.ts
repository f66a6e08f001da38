import type { Json, JsonObject } from '../definition/json.js';
import { TIMEOUT_MARGIN_MS } from '../definition/run-timeout.js';
import { startSummary } from '../pipeline/start.js';
import type { RetryPlan } from '../pipeline/plan.js';
import type { FlowRunEnd, FlowRunRecord, FlowRunRef, FlowTrigger } from './catalog.js';
import type { RowCounts } from './row.js';

/** The version of the rules by which the workflow runs a flow. Version n stays in the code until no run can hold it. */
export const FLOW_INTERPRETER = 1;

/** Names of the activities of data flows. */
export const CLAIM_ACTIVITY = 'millrace.claimFlowRun';
export const BEGIN_ACTIVITY = 'millrace.beginFlowRun';
export const MOVE_ACTIVITY = 'millrace.moveRows';
export const BODY_ACTIVITY = 'millrace.runFlowBody';
export const END_ACTIVITY = 'millrace.endFlowRun';
export const RECONCILE_ACTIVITY = 'millrace.reconcileDataFlows';

/** The workflow that a Temporal Schedule starts for each scheduled time. */
export const TRIGGER_WORKFLOW = 'triggerDataFlow';

/** The one argument of a flow's workflow. What the run does is found out by its first activity. */
export interface FlowArguments extends FlowRunRef {
  readonly interpreter: typeof FLOW_INTERPRETER;
  /** Of the whole run, also where it continues as new. */
  readonly timeoutMs: number;
  /** What the run does, where it has been found out before: a run that continues as new carries it on. */
  readonly plan?: FlowPlan;
}

/** What a run does, pinned by its first activity. */
export interface FlowPlan {
  /** The flow's id in its catalog: one that is begun anew has others. */
  readonly flowId: string;
  readonly trigger: FlowTrigger;
  /** ISO 8601: the time of the schedule that the run was started for. */
  readonly scheduledAt?: string;
  readonly configuration: JsonObject;
  readonly retry: RetryPlan;
  readonly work: MovePlan | { readonly kind: 'body' };
}

/** Which connectors move the rows, and how. Secrets stay references. */
export interface MovePlan {
  readonly kind: 'move';
  readonly source: UsePlan;
  readonly transform?: UsePlan;
  readonly sink: UsePlan;
  readonly batchSize: number;
  readonly batchTimeoutMs: number;
  readonly maxRejected: number;
}

/** A connector by its registered name, with its options. */
export interface UsePlan {
  readonly class_name: string;
  readonly options: JsonObject;
}

/** What came of beginning a run: its plan, or nothing to do since it is over already. */
export type Begun = { readonly plan: FlowPlan } | { readonly over: true };

/** What an activity that moves rows is asked for. */
export interface MoveTask extends FlowRunRef {
  readonly plan: FlowPlan;
  /** From 1; counted anew whenever the flow has got further. */
  readonly attempt?: number;
}

/** What an activity that moves rows has done. */
export interface MoveOutcome {
  /** The source has no more for now. */
  readonly done: boolean;
  /** Of the whole run. */
  readonly counts: RowCounts;
  /** How much of everything has been read, 0 to 1, where the source can tell. */
  readonly fraction?: number;
  /** Rows per second that this activity has read. */
  readonly rowsPerSecond: number;
}

/** What an attempt that failed tells the workflow beside its failure. */
export interface AttemptDetails {
  /** Batches that it has moved before; at least so many, where it was given up. */
  readonly moved: number;
  /** How long a service has asked to be left alone, in milliseconds. */
  readonly waitMs?: number;
}

/** How a run is to be closed in the catalog. */
export interface EndTask extends FlowRunRef {
  readonly status: FlowRunEnd;
  readonly errorMessage?: string;
  readonly errorBacktrace?: string;
}

/** What a run has come to, as its workflow returns it. */
export interface FlowResult {
  readonly run_seq: number;
  readonly rows_read: number;
  readonly rows_written: number;
  readonly rows_rejected: number;
}

/** Asks for a run on behalf of a schedule. */
export interface ClaimTask {
  readonly flow: string;
  /** ISO 8601. */
  readonly scheduledAt?: string;
  /** The first time that it is asked for: what runs may then be cancelled or terminated for it. */
  readonly first: boolean;
}

/** What came of a {@link ClaimTask}. */
export type ClaimOutcome =
  | { readonly kind: 'start'; readonly start: FlowStart }
  /** Another run is active, and this one is to wait for its end. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'skipped'; readonly reason: string };

/** Everything that a flow's workflow is started with, by a server or by another workflow. */
export interface FlowStart {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly argument: FlowArguments;
  /** Temporal ends a run that its own workflow code did not end by then, in milliseconds. */
  readonly workflowExecutionTimeoutMs: number;
  readonly memo: Readonly<Record<string, Json>>;
  /** The flow's description, as much of it as Temporal takes. */
  readonly summary?: string;
}

/** How the workflow of a claimed run is started. */
export function flowStart(
  flow: { readonly name: string; readonly timeoutMs: number; readonly description?: string },
  run: FlowRunRecord,
  { afterExecute }: { readonly afterExecute: boolean },
): FlowStart {
  const ref = { flow: flow.name, runSeq: run.runSeq };
  return {
    workflowType: flow.name,
    workflowId: run.workflowId,
    argument: { ...ref, interpreter: FLOW_INTERPRETER, timeoutMs: flow.timeoutMs },
    workflowExecutionTimeoutMs: flow.timeoutMs + TIMEOUT_MARGIN_MS,
    memo: {
      // Another catalog may have counted as far before: this tells whose run it is.
      flowRun: run.id,
      ...(run.principal !== null && { principal: run.principal }),
      ...(afterExecute && { afterExecute }),
    },
    ...(flow.description !== undefined && { summary: startSummary(flow.description) }),
  };
}

/** True for the argument of a flow's workflow that this code can run. */
export function isFlowArguments(value: unknown): value is FlowArguments {
  return (
    typeof value === 'object' &&
    value !== null &&
    'flow' in value &&
    'runSeq' in value &&
    'interpreter' in value &&
    value.interpreter === FLOW_INTERPRETER
  );
}
