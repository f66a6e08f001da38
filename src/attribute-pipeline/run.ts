import type { EntityFilter } from './entity-filter.js';

/** What has started a run. */
export const RUN_TRIGGERS = ['schedule', 'entity_save', 'manual'] as const;

export type RunTrigger = (typeof RUN_TRIGGERS)[number];

/** What a run is: `waiting` for its pipeline, `failed` by an entity or a module, `aborted` by a person or a limit. */
export const ATTRIBUTE_RUN_STATUSES = [
  'waiting',
  'running',
  'completed',
  'failed',
  'aborted',
] as const;

export type AttributeRunStatus = (typeof ATTRIBUTE_RUN_STATUSES)[number];

/** How a run ends. */
export type AttributeRunEnd = Exclude<AttributeRunStatus, 'waiting' | 'running'>;

/** Which entities a run looks at, and whether it computes what has not changed. */
export interface RunTask {
  /** Computes every value anew, also where nothing that it depends on has changed. */
  readonly force: boolean;
  readonly filter?: EntityFilter;
  /** Looks at so many at most, of those that the filter lets through. */
  readonly maxEntities?: number;
  /** Only these. */
  readonly entityIds?: readonly string[];
  /** Only those that have failed in this run. */
  readonly retryOf?: string;
  /** Only those that something has changed of, also where no run has looked at all of them for the pipeline's version yet. */
  readonly changedOnly?: boolean;
}

/** What has become of the entities of a run so far. */
export interface RunCounts {
  /** Computed, whether or not the value is another one. */
  readonly processed: number;
  readonly failed: number;
  /** A module had nothing to say: their values stay. */
  readonly skipped: number;
  /** Nothing that they depend on had changed. */
  readonly unchanged: number;
  readonly batches: number;
}

export const NO_COUNTS: RunCounts = {
  processed: 0,
  failed: 0,
  skipped: 0,
  unchanged: 0,
  batches: 0,
};

/** A run, as the catalog has it. */
export interface AttributeRun {
  readonly id: string;
  readonly pipelineId: string;
  readonly entityType: string;
  readonly attribute: string;
  readonly pipelineVersion: number;
  /** Its number among the runs of the pipeline, from 1. */
  readonly runSeq: number;
  readonly workflowId: string;
  readonly trigger: RunTrigger;
  /** What has triggered it: an entity, a schedule's time. */
  readonly reference: string | null;
  readonly principal: string | null;
  readonly status: AttributeRunStatus;
  readonly batchSize: number;
  readonly task: RunTask;
  readonly counts: RunCounts;
  /** Null where no model was asked. */
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  /** In the currency of the models' prices; null where none has a price. */
  readonly cost: number | null;
  /** The first {@link MAX_RUN_WARNINGS} different ones. */
  readonly warnings: readonly string[];
  readonly createdAt: Date;
  /** When it got its pipeline; until then when it was asked for. */
  readonly startedAt: Date;
  readonly completedAt: Date | null;
  readonly errorMessage: string | null;
  /** Who has asked for its end. */
  readonly cancelledBy: string | null;
}

/** What is said of a run whose workflow has gone without saying anything itself. */
export const ENDED_OUTSIDE = 'The run was ended from outside.';

/** Most warnings that a run keeps. */
export const MAX_RUN_WARNINGS = 50;

/** What a run can wait for. */
export const WAIT_KINDS = ['run', 'run_budget', 'day_budget'] as const;

/** What a run waits for. */
export interface WaitsFor {
  readonly kind: (typeof WAIT_KINDS)[number];
  /** A sentence: what it is, and what helps. */
  readonly reason: string;
}
