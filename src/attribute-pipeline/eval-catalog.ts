import type { Author, Page, PageRequest } from './entity-catalog.js';
import type { Comparison, Eval, EvalInput, EvalRate } from './eval.js';
import type { Json } from '../definition/json.js';
import type { PipelinePlace } from './pipeline-catalog.js';
import type { RunUsage } from './run-catalog.js';

/** What has come of an eval. */
export interface EvalOutcome {
  readonly id: string;
  readonly inputHash: string;
  /** Undefined where the pipeline came to nothing. */
  readonly actualOutput: Json | undefined;
  readonly justification: string | null;
  readonly confidence: number | null;
}

/** Which evals are to be run. */
export interface EvalSelection {
  /** Those that were run since are done. */
  readonly since: Date;
  readonly after: string | null;
  readonly limit: number;
}

/** How the evals of a pipeline stand. */
export interface EvalStats {
  readonly evals: number;
  readonly failing: number;
  /** Of the newest values of the attribute, on average; null where none has any. */
  readonly averageConfidence: number | null;
}

/** What is wanted of pipelines, and how far they are from it. Errors are those of `catalog-errors.ts`. */
export interface EvalCatalog {
  /** @throws {@link NotFound}, {@link NameTaken} when the entity has an eval of the pipeline */
  addEval(place: PipelinePlace, input: EvalInput, by: Author): Promise<Eval>;
  /** What somebody has set above the computed value is what is wanted. @throws as {@link addEval}, and {@link NotFound} for the override */
  addEvalOfOverride(
    place: PipelinePlace,
    of: Omit<EvalInput, 'desiredOutput'>,
    by: Author,
  ): Promise<Eval>;
  /** @throws {@link NotFound} */
  eval(id: string): Promise<Eval>;
  /** The eval of a pipeline for an entity, if there is one. */
  evalFor(pipelineId: string, entityId: string): Promise<Eval | null>;
  /** In the order in which they were added; `after` is an id. @throws {@link NotFound} */
  evals(
    place: PipelinePlace,
    page: PageRequest,
    of?: { readonly passed?: boolean },
  ): Promise<Page<Eval>>;
  /** Another wish is compared with what there is. @throws {@link NotFound}, {@link EditConflict} */
  changeEval(
    id: string,
    change: Partial<Omit<EvalInput, 'entityId'>>,
    lockVersion: number,
    by: Author,
  ): Promise<Eval>;
  /** @throws {@link NotFound} */
  removeEval(id: string): Promise<void>;
  /** In the order of their ids. */
  evalsToRun(pipelineId: string, selection: EvalSelection): Promise<readonly Eval[]>;
  /** @param selection - of those that are to be run; all unless given */
  countEvals(pipelineId: string, selection?: Omit<EvalSelection, 'limit'>): Promise<number>;
  /** Keeps what has come of evals, and what it has cost. */
  recordEvals(
    pipelineId: string,
    outcomes: readonly EvalOutcome[],
    usage: readonly RunUsage[],
    now: Date,
  ): Promise<void>;
  /** Keeps how many pass now. */
  recordRate(pipelineId: string, pipelineVersion: number, now: Date): Promise<EvalRate>;
  /** Newest first; `after` is a time. */
  rates(place: PipelinePlace, page: PageRequest): Promise<Page<EvalRate>>;
  /** By the ids of pipelines. */
  stats(pipelineIds: readonly string[]): Promise<ReadonlyMap<string, EvalStats>>;
}

/** What holds where somebody says nothing. */
export const EXACT: Comparison = { kind: 'exact' };
