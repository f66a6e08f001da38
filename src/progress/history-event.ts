import type { AttributesBegun, ComputeOutcome } from '../attribute-pipeline/plan.js';
import type { MoveOutcome } from '../data-flow/run.js';
import type { Json } from '../definition/json.js';
import type { Failure } from '../pipeline/failure.js';
import type {
  IgnoresDecision,
  OperationOutcome,
  QuickOutcome,
} from '../pipeline/operation-task.js';
import type { PipelinePlan } from '../pipeline/plan.js';
import type { TaskPlan } from '../task/plan.js';
import type { StepOutcome } from '../task/step-outcome.js';
import type { StepSignal } from '../task/step-signal.js';
import type { DrainOutcome } from '../record-pipeline/plan.js';

interface Common {
  /** The number of the event in Temporal's history, from 1. */
  readonly eventId: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly time: number;
}

/**
 * The events of a run's history that its progress follows from, decoded. The engine makes them of Temporal's; what says
 * nothing about progress is left out.
 */
export type HistoryEvent = Common &
  (
    | {
        readonly type: 'run_started';
        readonly name: string;
        readonly inputKeys: readonly string[];
        /** Absent for hand-written workflows. */
        readonly plan?: PipelinePlan;
        /** Of a task. */
        readonly task?: TaskPlan;
        /** The number of a data flow's run among those of the flow. */
        readonly runSeq?: number;
        /** Of a record pipeline's run: how its store knows it. */
        readonly recordRun?: string;
        /** Of an attribute pipeline's run: how the catalog knows it. */
        readonly attributeRun?: string;
      }
    /** A worker has taken the run. */
    | { readonly type: 'run_taken' }
    /** `place` is known for operations of a plan only. */
    | {
        readonly type: 'activity_scheduled';
        readonly activityType: string;
        readonly place?: OperationPlace;
        /** Of a task: the step, or the worker of a batch. */
        readonly step?: string;
      }
    | {
        readonly type: 'activity_completed';
        readonly scheduledEventId: number;
        readonly attempts: number;
        readonly startedAt?: number;
        readonly outcome?: OperationOutcome;
        /** Of a step of a task. */
        readonly stepOutcome?: StepOutcome;
      }
    | {
        readonly type: 'activity_failed';
        readonly scheduledEventId: number;
        readonly attempts: number;
        readonly startedAt?: number;
        readonly failure: Failure;
      }
    /** An activity was let go of: what becomes of it is no news. */
    | { readonly type: 'activity_cancel_requested'; readonly scheduledEventId: number }
    /** An activity of a data flow has moved rows. */
    | { readonly type: 'rows_moved'; readonly outcome: MoveOutcome }
    /** The store of a record pipeline was claimed for the run, and what the pipeline prepares is done. */
    | { readonly type: 'records_begun' }
    /** An activity of a record pipeline has drained records. */
    | { readonly type: 'records_drained'; readonly outcome: DrainOutcome }
    /** The pipeline was claimed for a run of an attribute pipeline. */
    | { readonly type: 'attributes_begun'; readonly begun: AttributesBegun }
    /** An activity of an attribute pipeline has computed values. */
    | { readonly type: 'attributes_computed'; readonly outcome: ComputeOutcome }
    /** Somebody has told a task what becomes of one of its steps. */
    | { readonly type: 'step_signalled'; readonly signal: StepSignal }
    /** Nobody has answered an approval in its time. */
    | { readonly type: 'approval_timed_out'; readonly step: string }
    /** Something is waited for that may come. */
    | { readonly type: 'run_waits'; readonly reason: string }
    /** A project's predicate has said whether the failure of an operation is ignored. */
    | { readonly type: 'failure_decided'; readonly decision: IgnoresDecision }
    /** A local activity of fused operations ended. */
    | { readonly type: 'quick_completed'; readonly outcome: QuickOutcome }
    | { readonly type: 'run_completed'; readonly result: Json }
    | { readonly type: 'run_failed'; readonly failure: Failure }
    | { readonly type: 'run_cancelled' }
    | { readonly type: 'run_terminated'; readonly reason: string }
    | { readonly type: 'run_timed_out' }
  );

/** Where an operation is in the plan, and how often it was scheduled before (0, unless code was missing). */
export interface OperationPlace {
  readonly stage: number;
  readonly operation: number;
  readonly round: number;
}
