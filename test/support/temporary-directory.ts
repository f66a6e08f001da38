import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';

/** Gives each test an empty directory of its own, removed after it. Call it at the top of a file or of a `describe`. */
export function useTemporaryDirectory(): { readonly path: string } {
  let current: string | undefined;
  beforeEach(async () => {
    current = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  });
  afterEach(async () => {
    // Processes of the test may still be there, and write.
    if (current !== undefined) await rm(current, { recursive: true, force: true, maxRetries: 5 });
    current = undefined;
  });
  return {
    get path() {
      if (current === undefined)
        throw new Error('useTemporaryDirectory() is ready inside of hooks and tests');
      return current;
    },
  };
}
