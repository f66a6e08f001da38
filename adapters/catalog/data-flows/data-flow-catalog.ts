import type { DataFlowCatalog } from '../../../src/data-flow/catalog.js';
import type { CatalogDatabase } from '../database.js';
import { flowClaims } from './claims.js';
import { flowHistory } from './history.js';
import { flowProgress } from './progress.js';
import { flowRejections } from './rejections.js';
import { flowSettings } from './settings.js';
import { flowTrimming } from './trimming.js';

/** The catalog of data flows in a SQL database, which other parts of the catalog use too. */
export function dataFlowCatalog(database: CatalogDatabase): DataFlowCatalog {
  return {
    ...flowSettings(database),
    ...flowClaims(database),
    ...flowProgress(database),
    ...flowRejections(database),
    ...flowHistory(database),
    ...flowTrimming(database),
  };
}
