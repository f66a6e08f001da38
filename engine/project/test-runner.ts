import type { PackageFile } from './package-file.js';

/** The runners of tests that files are written for. */
export const TEST_RUNNERS = ['node', 'jest', 'vitest'] as const;
export type TestRunner = (typeof TEST_RUNNERS)[number];

/**
 * What the tests of a project are run by: jest or vitest, where its package.json names them, else `node:test`. Of both, the one that its
 * script `test` names counts.
 */
export function testRunnerOf(manifest: PackageFile | undefined): TestRunner {
  const { packages = [], scripts = {} } = manifest ?? {};
  const there = (['vitest', 'jest'] as const).filter((name) => packages.includes(name));
  return there.find((name) => scripts['test']?.includes(name)) ?? there[0] ?? 'node';
}
