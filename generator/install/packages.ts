import { VERSION } from '../../src/version.js';
import type { TestRunner } from '../../engine/project/test-runner.js';

/** Packages that a project uses, with the versions that this one was tested with; a test holds them against package.json. */
export const PROJECT_PACKAGES = {
  dependencies: { millrace: `^${VERSION}`, zod: '^4.6.7' },
  devDependencies: {
    // For the types of hand-written workflows: the very version that Millrace has.
    '@temporalio/workflow': '1.24.0',
    '@types/node': '^20.19.43',
    tsx: '^4.23.15',
    typescript: '^6.0.3',
  },
} as const;

const TEST_SCRIPTS: Readonly<Record<TestRunner, string>> = {
  node: 'tsx --test test/*.test.ts',
  jest: 'NODE_OPTIONS=--experimental-vm-modules jest',
  vitest: 'vitest run',
};

/** What `npm run` knows in a project. */
export function projectScripts(runner: TestRunner): Readonly<Record<string, string>> {
  return {
    dev: 'millrace dev',
    check: 'millrace check && tsc',
    test: TEST_SCRIPTS[runner],
    worker: 'millrace worker',
    server: 'millrace server',
  };
}
