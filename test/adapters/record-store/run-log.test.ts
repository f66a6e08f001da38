import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../adapters/record-store/define-store.js';
import { RECORD_LIMITS } from '../../../src/record-pipeline/limits.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { blogIn } from './blog-store.js';

describe('what a store remembers of its runs', () => {
  const folder = useTemporaryDirectory();

  it('is the newest of them: a store does not grow by being worked on', () => {
    const store = blogIn(folder.path);
    const { runs, dir } = coreOf(store);
    const count = RECORD_LIMITS.runsKept + 20;
    const run = (n: number): string => `run-${String(n).padStart(5, '0')}`;
    const failure = { step: 'read', record: 'post', recordId: 1, name: 'Error', message: 'no' };
    for (let n = 0; n < count; n += 1) {
      const at = new Date(Date.UTC(2026, 0, 1) + n * 1_000);
      runs.begin({ id: run(n), pipeline: 'read', workflowId: run(n) }, dir, at);
      runs.fail(run(n), { ...failure, at: at.toISOString() });
      runs.end(run(n), 'failed', at);
    }
    // The one that has just ended, beside those that were kept when it began.
    expect(runs.all()).toHaveLength(RECORD_LIMITS.runsKept + 1);
    expect(runs.list(1)[0]?.id).toBe(run(count - 1));
    const { runsKeptWithFailures } = RECORD_LIMITS;
    expect(runs.failures(run(count - 1 - runsKeptWithFailures), 10)).toHaveLength(1);
    expect(runs.failures(run(count - 2 - runsKeptWithFailures), 10)).toHaveLength(0);
    store.close();
  });
});
