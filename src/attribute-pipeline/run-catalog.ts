import type { Page, PageRequest } from './entity-catalog.js';
import type { PipelinePlace } from './pipeline-catalog.js';
import type { AttributeRun, AttributeRunStatus, RunTask, RunTrigger } from './run.js';
import type { AttributeValue, ComputedValue } from './value.js';

/** Who wants a run, and of what. */
export interface RunRequest {
  readonly place: PipelinePlace;
  readonly trigger: RunTrigger;
  readonly reference?: string;
  readonly principal?: string;
  readonly task: RunTask;
  readonly now: Date;
}

/** What has come of asking for a run. A pipeline has one that is active at most. */
export type RunClaim =
  | { readonly kind: 'claimed'; readonly run: AttributeRun }
  | { readonly kind: 'active'; readonly run: AttributeRun };

/** Where a run is: whoever writes names it, so that an attempt that was taken for lost writes nothing more. */
export interface RunPosition {
  /** The last entity that was looked at; null at the beginning. */
  readonly entityId: string | null;
  /** Counts what was written. */
  readonly step: number;
  /** Entities that were looked at. */
  readonly seen: number;
}

/** An entity that a run is to look at. */
export interface Candidate {
  readonly entityId: string;
  /** Of its changes that are waiting; null where none is. One that comes meanwhile has another number. */
  readonly changeSeq: number | null;
}

/** What has become of an entity. */
export type EntityOutcome =
  | { readonly kind: 'computed'; readonly result: Omit<ComputedValue, 'pipelineVersion' | 'runId'> }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'skipped'; readonly reason: string }
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
  /** @throws {@link NotFound} for the pipeline, or the run whose failures are to be tried again; {@link InvalidFilter} */
  claim(request: RunRequest): Promise<RunClaim>;
  /** @throws {@link NotFound} */
  run(id: string): Promise<AttributeRun>;
  /** Newest first; `after` is an id. */
  runs(page: PageRequest, of?: Partial<PipelinePlace>): Promise<Page<AttributeRun>>;
  /** @throws {@link NotFound} */
  position(id: string): Promise<RunPosition>;
  /**
   * The next entities to look at: every one for a run that is forced or the first of its version, else those that something has changed
   * of. In the order of their ids.
   */
  candidates(id: string, after: string | null, limit: number): Promise<readonly Candidate[]>;
  /**
   * What entities have of attributes, by entity and then by the name of the attribute. One query.
   *
   * @param attributes - names
   */
  values(
    entityType: string,
    entityIds: readonly string[],
    attributes: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, AttributeValue>>>;
  /**
   * Writes what a batch has come to: values with their history, what waits for the pipelines that read them, failures, usage, counts and
   * the position, all or nothing. What was changed of an entity while it was worked on stays to be looked at.
   *
   * @returns the position after it
   * @throws {@link RunFenceLost}; nothing is written then
   */
  write(id: string, at: RunPosition, batch: RunBatch, now: Date): Promise<RunPosition>;
  /** Ends a run; of one that has ended, nothing is changed. */
  end(
    id: string,
    status: Exclude<AttributeRunStatus, 'running'>,
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
      readonly module: string;
      readonly message: string;
      readonly at: Date;
    }>
  >;
}
