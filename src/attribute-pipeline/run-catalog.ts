import type { PendingChange } from './explanation.js';
import type { Page, PageRequest } from './entity-catalog.js';
import type { PipelinePlace } from './pipeline-catalog.js';
import type { AttributePipeline } from './pipeline.js';
import type { BudgetReached } from './plan.js';
import type { AttributeRun, AttributeRunEnd, RunCounts, RunTask, RunTrigger } from './run.js';
import type { ReadValue, ComputedValue } from './value.js';

/** Who wants a run, and of what. */
export interface RunRequest {
  /** Of the run: a ULID. */
  readonly id: string;
  readonly workflowId: string;
  readonly place: PipelinePlace;
  readonly trigger: RunTrigger;
  readonly reference?: string;
  readonly principal?: string;
  readonly task: RunTask;
  readonly now: Date;
}

/** What has come of claiming a pipeline for a run. One run has it at a time. */
export type RunClaim =
  | {
      readonly kind: 'claimed';
      readonly run: AttributeRun;
      /** As it was at that moment. */
      readonly pipeline: AttributePipeline;
    }
  /** Another run has the pipeline. */
  | { readonly kind: 'active'; readonly run: AttributeRun }
  /** The run itself has ended before it began. */
  | { readonly kind: 'over'; readonly run: AttributeRun };

/** Where a run is: whoever writes names it, so that an attempt that was taken for lost writes nothing more. */
export interface RunPosition {
  /** The last entity that was looked at; null at the beginning. */
  readonly entityId: string | null;
  /** Counts what was written. */
  readonly step: number;
  /** Entities that were looked at. */
  readonly seen: number;
  readonly counts: RunCounts;
  /** Null where no model was asked, as the other. */
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  /** Null where no model that was asked has a price. */
  readonly cost: number | null;
}

/** An entity that a run is to look at. */
export interface Candidate {
  readonly entityId: string;
  /** Of its changes that are waiting; null where none is. One that comes meanwhile has another number. */
  readonly changeSeq: number | null;
}

/** What a run may still spend. */
export interface RunSpending {
  /** Of the budget that is nearest to its end; undefined where the pipeline has none. */
  readonly left?: {
    /** In the currency of the models' prices; 0 or less when it is used up. */
    readonly rest: number;
    readonly budget: BudgetReached;
  };
  /** What an entity has cost, in this run or in those before it; null when that is not known. */
  readonly averageCost: number | null;
}

/** What has become of an entity. */
export type EntityOutcome =
  | { readonly kind: 'computed'; readonly result: Omit<ComputedValue, 'pipelineVersion' | 'runId'> }
  | { readonly kind: 'unchanged' }
  /** The hash is of what a processor has passed it over for: the same again is no reason to ask once more. Sources have none. */
  | { readonly kind: 'skipped'; readonly reason: string; readonly inputHash?: string }
  | { readonly kind: 'failed'; readonly module: string; readonly message: string };

/** What a run has used of a model. */
export interface RunUsage {
  readonly model: string;
  readonly calls: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** Null where the model has no price. */
  readonly cost: number | null;
}

/** What is written at once. */
export interface RunBatch {
  readonly outcomes: readonly (Candidate & { readonly outcome: EntityOutcome })[];
  readonly usage: readonly RunUsage[];
  readonly warnings: readonly string[];
}

/** What a run would look at, and what it would cost by what runs of the pipeline have cost. */
export interface RunQuote {
  readonly entities: number;
  /** Null where no run has asked a model yet, as the other. */
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  /** Null where no model that was asked has a price. */
  readonly cost: number | null;
  /** Runs that the averages are of. */
  readonly runsLookedAt: number;
}

/** What costs are told by. */
export const COST_GROUPS = ['pipeline', 'model', 'day', 'run'] as const;

export type CostGroup = (typeof COST_GROUPS)[number];

/** Which costs. */
export interface CostSelection {
  readonly by: readonly CostGroup[];
  readonly place?: PipelinePlace;
  readonly entityType?: string;
  /** Days of UTC, both included: `2026-11-26`. */
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

/** What models have taken. */
export interface CostRow extends Omit<RunUsage, 'model'> {
  /** Those that it is told by. */
  readonly pipeline?: string;
  readonly model?: string;
  readonly day?: string;
  /** Empty for evals. */
  readonly run?: string;
}

/** A run that may not write any more: another attempt has taken over, or it has ended. */
export class RunFenceLost extends Error {
  override readonly name = 'RunFenceLost';
  constructor(
    readonly runId: string,
    readonly step: number,
  ) {
    super(
      `Run ${runId} has gone on elsewhere, or has ended: what was to be written after step ${String(step)} was not.`,
    );
  }
}

/** The runs of attribute pipelines: who may run, what there is to do, and what has been done. */
export interface RunCatalog {
  /** Has a run wait for its pipeline. Asked for again by the same id, it is the same. @throws {@link NotFound} for the pipeline, or the run whose failures are to be tried again; {@link InvalidFilter} */
  request(request: RunRequest): Promise<AttributeRun>;
  /** Gives the pipeline to a run that waits for it. Claimed again by the same run, it is the same. @throws {@link NotFound} */
  claim(id: string, now: Date): Promise<RunClaim>;
  /** @throws {@link NotFound} */
  run(id: string): Promise<AttributeRun>;
  /** The run of a pipeline that goes on, if one does. */
  active(place: PipelinePlace): Promise<AttributeRun | undefined>;
  /** Newest first; `after` is an id. */
  runs(page: PageRequest, of?: Partial<PipelinePlace>): Promise<Page<AttributeRun>>;
  /** @throws {@link NotFound} */
  position(id: string): Promise<RunPosition>;
  /**
   * The next entities to look at: every one for a run that is forced or the first of its version, else those that something has changed
   * of. In the order of their ids.
   */
  candidates(id: string, after: string | null, limit: number): Promise<readonly Candidate[]>;
  /** The budgets are those that the pipeline has now; a day is one of UTC. */
  spending(id: string, now: Date): Promise<RunSpending>;
  /** What a pipeline may still spend on a day beside its runs. @throws {@link NotFound} */
  daySpending(place: PipelinePlace, now: Date): Promise<RunSpending>;
  /** Pipelines of which something has changed since their last run began. */
  due(entityType?: string): Promise<readonly PipelinePlace[]>;
  /** Runs that wait or go on, oldest first. */
  unfinished(limit: number): Promise<readonly AttributeRun[]>;
  /** @throws {@link NotFound}, {@link InvalidFilter} */
  quote(place: PipelinePlace, task: RunTask): Promise<RunQuote>;
  /** What has changed of an entity that the pipeline has not looked at yet. */
  pendingChange(pipelineId: string, entityId: string): Promise<PendingChange | null>;
  /** What models have taken, newest days first. */
  costs(of: CostSelection): Promise<readonly CostRow[]>;
  /** How many there are from the beginning. */
  countCandidates(id: string): Promise<number>;
  /**
   * What entities have of attributes, by entity and then by the name of the attribute. One query.
   *
   * @param attributes - names
   */
  values(
    entityType: string,
    entityIds: readonly string[],
    attributes: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, ReadValue>>>;
  /**
   * Writes what a batch has come to: values with their history, what waits for the pipelines that read them, failures, usage, counts and
   * the position, all or nothing. What was changed of an entity while it was worked on stays to be looked at. A batch without outcomes
   * adds what models have taken for one that is not written.
   *
   * @returns the position after it
   * @throws {@link RunFenceLost}; nothing is written then
   */
  write(
    id: string,
    at: Pick<RunPosition, 'step'>,
    batch: RunBatch,
    now: Date,
  ): Promise<RunPosition>;
  /** Keeps who has asked for the end of a run that goes on; the first of them. */
  noteCancelled(id: string, principal: string): Promise<void>;
  /** Ends a run; of one that has ended, nothing is changed. */
  end(
    id: string,
    status: AttributeRunEnd,
    errorMessage: string | null,
    now: Date,
  ): Promise<AttributeRun>;
  /** In the order of their entities; `after` is an entity. */
  failures(
    id: string,
    page: PageRequest,
  ): Promise<
    Page<{
      readonly entityId: string;
      /** Its key; null where it has none, or is there no more. */
      readonly entityKey: string | null;
      readonly module: string;
      readonly message: string;
      readonly at: Date;
    }>
  >;
}
