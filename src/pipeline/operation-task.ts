import type { Json, JsonObject } from '../definition/json.js';
import type { ModelUsage } from './context.js';
import type { Failure } from './failure.js';
import type { Namespace } from './namespace.js';
import type { OperationPlan, StagePlan } from './plan.js';

/** Name of the local activity that runs fused operations. Names with this prefix are refused for definitions. */
export const QUICK_ACTIVITY = 'millrace.quick';

/** Name of the local activity that asks the deployed code whether a failure is to be ignored. */
export const IGNORES_ACTIVITY = 'millrace.ignores';

/** Name of the local activity that checks a result where a plan says so. */
export const RESULT_ACTIVITY = 'millrace.result';

/** What the activity of one operation gets. Its activity type is the operation's. */
export interface OperationTask {
  readonly pipeline: string;
  readonly stage: string;
  readonly operation: OperationPlan;
  /** Only the properties that the operation reads. */
  readonly inputs: readonly Namespace[];
  readonly principal?: string;
  /** What a worker that stopped or lacked the code, or a fused group whose time was over, has handed back: it goes on from there. */
  readonly handedBack?: HandedBack;
  /** Nothing is run: the worker only says whether it has the operation. There are no inputs then. */
  readonly probe?: true;
}

/** An operation that was given up before it ended. Its checkpoint is kept. */
export interface HandedBack {
  /** Attempts that count already. One that a stopping worker gave up does not, nor one on a worker that lacked the code. */
  readonly attempts: number;
  readonly checkpoint?: Json;
}

/** What an operation did to its namespaces. Declared deletes are not repeated here; the plan has them. */
export type Effect =
  | { readonly kind: 'sets'; readonly sets: readonly JsonObject[] }
  | {
      readonly kind: 'derived';
      readonly derived: readonly { readonly from: number; readonly set: JsonObject }[];
    }
  /** The operation failed, and `ignoreErrors` covers that: the namespaces pass through. */
  | { readonly kind: 'ignored'; readonly failure: Failure };

/** What the activity of one operation returns. */
export interface OperationOutcome {
  readonly effect: Effect;
  readonly usage?: readonly ModelUsage[];
}

/** A stage of a fused group. */
export interface QuickStage extends StagePlan {
  /** Its place in the plan. */
  readonly index: number;
}

/** What the local activity of fused operations gets: neighbouring stages. */
export interface QuickTask {
  readonly pipeline: string;
  readonly stages: readonly QuickStage[];
  /** The properties that any of the operations reads. */
  readonly namespaces: readonly Namespace[];
  /** Time for all of them together, in milliseconds. */
  readonly budgetMs: number;
  readonly principal?: string;
}

/** What happened to one fused operation. The workflow and the fold read times and failures from here. */
export interface QuickReport {
  /** Places in the plan: the stage, and the operation in it. A marker in history carries no input, so they are here. */
  readonly stage: number;
  readonly operation: number;
  /** Milliseconds since the epoch, by the worker's clock. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Of one that is handed over, neither done nor failed: those that count, at most all but one. */
  readonly attempts: number;
  /** Absent when it failed or is handed over. */
  readonly outcome?: OperationOutcome;
  readonly failure?: Failure;
}

/**
 * What the local activity of fused operations returns. Operations without a report, or with one that tells neither an
 * outcome nor a failure, were not finished in time, or this worker's code lacks them: they go on as ordinary activities, which any
 * worker may take. It never throws for an operation's failure.
 */
export interface QuickOutcome {
  readonly operations: readonly QuickReport[];
}

/** What the local activity that asks a predicate gets. */
export interface IgnoresTask {
  readonly pipeline: string;
  readonly stage: string;
  readonly operation: OperationPlan;
  readonly failure: Failure;
  /** Where the operation is in the plan. */
  readonly place: IgnoresDecision['place'];
}

/** What the local activity that checks a result gets. */
export interface ResultTask {
  /** The plan's `resultSchema`. */
  readonly schema: JsonObject;
  readonly result: JsonObject | readonly JsonObject[];
}

/** What is wrong with a result; empty when nothing is. */
export interface ResultDecision {
  readonly failure?: Failure;
}

/** What a predicate said. A marker in history carries no input, so that the place is here, for the fold. */
export interface IgnoresDecision {
  readonly place: { readonly stage: number; readonly operation: number };
  readonly ignored: boolean;
}
