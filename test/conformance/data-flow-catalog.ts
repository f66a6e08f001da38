import { afterEach, beforeEach, describe } from '@jest/globals';
import { testClaims } from './data-flow-catalog/claims.js';
import type { Flows, OpenFlows } from './data-flow-catalog/flows.js';
import { testProgress } from './data-flow-catalog/progress.js';
import { testRejections } from './data-flow-catalog/rejections.js';
import { testRuns } from './data-flow-catalog/runs.js';
import { testSettings } from './data-flow-catalog/settings.js';

/**
 * What every implementation of DataFlowCatalog does.
 *
 * @param open - opens an empty catalog, for each test
 */
export function testDataFlowCatalog(name: string, open: () => Promise<Flows>): void {
  describe(name, () => {
    let current: Flows | undefined;
    const flows: OpenFlows = {
      get catalog() {
        if (current === undefined) throw new Error('the catalog is open inside of tests');
        return current.catalog;
      },
      another: () => {
        if (current === undefined) throw new Error('the catalog is open inside of tests');
        return current.another();
      },
    };
    beforeEach(async () => {
      current = await open();
    });
    afterEach(async () => {
      await current?.dispose();
      current = undefined;
    });
    testSettings(flows);
    testClaims(flows);
    testProgress(flows);
    testRejections(flows);
    testRuns(flows);
  });
}
