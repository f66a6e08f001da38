import { afterEach, beforeEach, describe } from '@jest/globals';
import { testEvals } from './attributes/evals.js';
import { testEntities } from './attributes/entities.js';
import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import { testExports } from './attributes/exports.js';
import type { OpenAttributes } from './attributes/open-attributes.js';
import { testPipelines } from './attributes/pipelines.js';
import { testRuns } from './attributes/runs.js';
import { testValues } from './attributes/values.js';

/** What an implementation gives to the suite for each test. */
export interface Attributes extends OpenAttributes {
  dispose(): Promise<void>;
}

/**
 * What every implementation of EntityCatalog, PipelineCatalog, RunCatalog and EvalCatalog does.
 *
 * @param open - opens an empty catalog, for each test
 */
export function testAttributeCatalogs(name: string, open: () => Promise<Attributes>): void {
  describe(name, () => {
    let current: Attributes | undefined;
    const opened = (): Attributes => {
      if (current === undefined) throw new Error('the catalog is open inside of tests');
      return current;
    };
    const attributes: OpenAttributes = {
      get catalog(): AttributeCatalogs {
        return opened().catalog;
      },
      another: () => opened().another(),
    };
    beforeEach(async () => {
      current = await open();
    });
    afterEach(async () => {
      await current?.dispose();
      current = undefined;
    });
    testEntities(attributes);
    testValues(attributes);
    testExports(attributes);
    testPipelines(attributes);
    testRuns(attributes);
    testEvals(attributes);
  });
}
