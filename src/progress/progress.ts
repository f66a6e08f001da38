import type { Json, JsonObject } from '../definition/json.js';
import type { ModelUsage } from '../pipeline/context.js';
import type { Failure } from '../pipeline/failure.js';
import type { PipelinePlan } from '../pipeline/plan.js';
import type { ExecutionStatus } from './status.js';
import type { TaskProgress } from './task-progress.js';

/** How far a run is: what its status, its console page and its events are made of. */
export interface RunProgress {
  readonly name: string;
  /** Absent for hand-written workflows, whose stages nobody knows. */
  readonly plan?: PipelinePlan;
  readonly status: ExecutionStatus;
  readonly startedAt: number;
  readonly closedAt?: number;
  readonly stages: readonly StageProgress[];
  readonly result?: Json;
  readonly failure?: Failure;
  /** Number of namespaces that reach the next stage. */
  readonly namespaceCount: number;
  /** Of the run of a data flow. */
  readonly flow?: FlowProgress;
  /** Of the run of a record pipeline. */
  readonly records?: RecordsProgress;
  /** Of the run of an attribute pipeline. */
  readonly attributes?: AttributesProgress;
  /** Of the run of a task. */
  readonly task?: TaskProgress;
}

/** How far the run of a data flow is. */
export interface FlowProgress {
  /** Its number among the runs of the flow. */
  readonly runSeq: number;
  /** What the last activity that moved rows has told: batches, rows, rate. */
  readonly moved?: Readonly<Record<string, number>>;
}

/** How far the run of a record pipeline is. */
export interface RecordsProgress {
  /** How its store knows the run. */
  readonly run: string;
  /** What the last activity that drained records has told: counts, queues, rate. */
  readonly drained?: JsonObject;
}

/** How far the run of an attribute pipeline is. */
export interface AttributesProgress {
  /** How the catalog knows the run. */
  readonly run: string;
  /** What the last activity that computed values has told: counts, tokens, cost, rate. */
  readonly computed?: JsonObject;
}

/** How far a stage is. */
export interface StageProgress {
  readonly name: string;
  readonly state: 'pending' | 'running' | 'completed' | 'failed';
  readonly startedAt?: number;
  readonly completedAt?: number;
  /** Namespaces that entered it. */
  readonly namespaceCount?: number;
  readonly operations: readonly OperationProgress[];
}

/** How far an operation is. */
export interface OperationProgress {
  readonly name: string;
  readonly type: string;
  readonly state: 'pending' | 'running' | 'completed' | 'ignored' | 'failed' | 'cancelled';
  readonly startedAt?: number;
  readonly durationMs?: number;
  readonly attempts?: number;
  /** Attempts that were made before its present activity was scheduled, which counts from 1 again. */
  readonly attemptsBefore?: number;
  readonly failure?: Failure;
  readonly usage?: readonly ModelUsage[];
  /** The number of namespaces that it made, where it changes their number. */
  readonly derived?: number;
}

/** The tokens that a run's operations took, by model. */
export function usageByModel(progress: RunProgress): readonly ModelUsage[] {
  const totals = new Map<string, ModelUsage>();
  const used = progress.stages.flatMap((stage) =>
    stage.operations.flatMap((operation) => operation.usage ?? []),
  );
  for (const { model, inputTokens, outputTokens } of used) {
    const known = totals.get(model);
    totals.set(model, {
      model,
      inputTokens: inputTokens + (known?.inputTokens ?? 0),
      outputTokens: outputTokens + (known?.outputTokens ?? 0),
    });
  }
  return [...totals.values()];
}
