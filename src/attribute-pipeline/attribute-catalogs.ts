import type { EntityCatalog } from './entity-catalog.js';
import type { EvalCatalog } from './eval-catalog.js';
import type { PipelineCatalog } from './pipeline-catalog.js';
import type { RunCatalog } from './run-catalog.js';

/** The parts of the catalog that have to do with attributes. */
export interface AttributeCatalogs {
  readonly entities: EntityCatalog;
  readonly attributePipelines: PipelineCatalog;
  readonly attributeRuns: RunCatalog;
  readonly attributeEvals: EvalCatalog;
}
