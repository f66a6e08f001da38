import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { KnownStore, StoreCatalog } from '../../src/record-pipeline/store-catalog.js';

const HERE: KnownStore = {
  id: '01M8B00000000000000000HERE',
  host: 'mill-1',
  dir: '/data/onboarding',
  seenAt: new Date('2026-11-26T08:00:00.123Z'),
};
const THERE: KnownStore = { ...HERE, id: '01M8B0000000000000000THERE', host: 'mill-2' };

/** A catalog of stores that is open for one test. */
export interface OpenStoreCatalog {
  readonly catalog: StoreCatalog;
  readonly dispose: () => Promise<void>;
}

/**
 * What every implementation of StoreCatalog does.
 *
 * @param open - opens an empty catalog, for each test
 */
export function testStoreCatalog(name: string, open: () => Promise<OpenStoreCatalog>): void {
  describe(name, () => {
    let current: OpenStoreCatalog;
    beforeEach(async () => {
      current = await open();
    });
    afterEach(() => current.dispose());

    it('knows a store by the pipeline that has claimed it, first come, first served', async () => {
      const { catalog } = current;
      expect(await catalog.find('onboarding')).toBeUndefined();
      const claims = [HERE, THERE].map((store) => catalog.claim('onboarding', store));
      const [first, second] = await Promise.all(claims);
      expect(first).toEqual(second);
      expect([HERE, THERE]).toContainEqual(first);
      expect(await catalog.find('onboarding')).toEqual(first);
      expect(await catalog.find('another')).toBeUndefined();
    });

    it('is told when a store was last used, by who has it', async () => {
      const { catalog } = current;
      await catalog.note('onboarding', HERE);
      const later = new Date('2026-11-26T09:00:00Z');
      await catalog.touch('onboarding', { ...HERE, host: 'mill-2', seenAt: later });
      await catalog.touch('onboarding', { ...THERE, seenAt: later });
      expect(await catalog.find('onboarding')).toEqual(HERE);
      await catalog.touch('onboarding', { ...HERE, seenAt: later });
      expect(await catalog.find('onboarding')).toEqual({ ...HERE, seenAt: later });
    });

    it('takes another word for it, and forgets', async () => {
      const { catalog } = current;
      await catalog.note('onboarding', HERE);
      await catalog.note('onboarding', THERE);
      expect(await catalog.find('onboarding')).toEqual(THERE);
      expect(await catalog.forget('onboarding')).toEqual(THERE);
      expect(await catalog.forget('onboarding')).toBeUndefined();
      expect(await catalog.claim('onboarding', HERE)).toEqual(HERE);
    });
  });
}
