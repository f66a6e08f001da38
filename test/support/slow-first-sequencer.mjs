import TestSequencer from '@jest/test-sequencer';

/**
 * The test files that take longest, the longest first. Jest begins with them where it has seen them before; in a fresh clone it
 * would go by the size of files, and have one of these left to itself at the end.
 */
const SLOWEST = [
  'generator/installed-project.test.ts',
  'docs/own-project.test.ts',
  'docs/data-flows-sqlite.test.ts',
  'docs/data-flows-postgres.test.ts',
  'examples/order-fulfilment.test.ts',
  'docs/order-fulfilment.test.ts',
  'cli/flows.test.ts',
  'cli/dev.test.ts',
  'package/tarball.test.ts',
  'cli/runs.test.ts',
  'cli/data-flow-kill.test.ts',
  'docs/embedding.test.ts',
  'docs/readme.test.ts',
  'cli/server-and-worker.test.ts',
  'workflows/limits.test.ts',
  'docs/testing.test.ts',
];

/** Jest's own order, but for slow files of which it does not know yet that they are. */
// eslint-disable-next-line import-x/no-default-export -- jest loads the default export
export default class SlowFirstSequencer extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const first = SLOWEST.flatMap((file) =>
      sorted.filter(
        ({ path, duration }) => duration === undefined && path.endsWith(`/test/${file}`),
      ),
    );
    return [...first, ...sorted.filter((test) => !first.includes(test))];
  }
}
