/** The runners of tests that files are written for. */
export const TEST_RUNNERS = ['node', 'jest', 'vitest'] as const;
export type TestRunner = (typeof TEST_RUNNERS)[number];

/**
 * What the tests of a project are run by: jest or vitest, where it has them, else `node:test`.
 *
 * @param packages - names of the packages that its package.json lists
 * @param script - its script `test`; of both, the one that it names counts
 */
export function testRunnerOf(packages: readonly string[], script = ''): TestRunner {
  const there = (['vitest', 'jest'] as const).filter((name) => packages.includes(name));
  return there.find((name) => script.includes(name)) ?? there[0] ?? 'node';
}
