import type { Author, Page, PageRequest } from './entity-catalog.js';
import type { AttributePipeline, PipelineInput } from './pipeline.js';

/** Which pipeline: by what it computes. */
export interface PipelinePlace {
  readonly entityType: string;
  readonly attribute: string;
}

/**
 * The pipelines that compute attributes. Whether modules exist and their settings are right is up to who saves: here is kept what must hold
 * however many people save at once. Errors are those of `catalog-errors.ts`.
 */
export interface PipelineCatalog {
  /**
   * @throws {@link NotFound} for the attribute or an input, {@link NameTaken} when the attribute has a pipeline or another one has the name,
   *   {@link InvalidSettings} for an attribute that people or another system write, {@link DependencyCycle}
   */
  addPipeline(place: PipelinePlace, input: PipelineInput, by: Author): Promise<AttributePipeline>;
  /** As {@link addPipeline}, or {@link changePipeline} where there is one, but nothing is saved. @throws as both */
  checkPipeline(place: PipelinePlace, input: PipelineInput, by: Author): Promise<void>;
  /** @throws {@link NotFound} */
  pipeline(place: PipelinePlace): Promise<AttributePipeline>;
  /** In the order of entity types and attributes; `after` is a {@link pipelineName}. */
  pipelines(
    page: PageRequest,
    of?: { readonly entityType?: string },
  ): Promise<Page<AttributePipeline>>;
  /**
   * Changes what is given. Other modules, or other settings of theirs, are a new version, and every entity is to be looked at.
   *
   * @throws as {@link addPipeline}, and {@link EditConflict}
   */
  changePipeline(
    place: PipelinePlace,
    change: Partial<PipelineInput>,
    lockVersion: number,
    by: Author,
  ): Promise<AttributePipeline>;
  /** With its runs and evals. Values that it has computed stay. @throws {@link NotFound}, {@link InUse} while a run goes on */
  removePipeline(place: PipelinePlace): Promise<void>;
}
