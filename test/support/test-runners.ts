import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { TestRunner } from '../../engine/project/test-runner.js';
import { ROOT } from '../docs/page.js';
import { writeProject } from './project.js';

/** A runner as a project has it. */
interface Runner {
  /** What it needs, as a reader would have installed it. */
  readonly packages: readonly string[];
  /** Its configuration, where it needs one. */
  readonly files: Readonly<Record<string, string>>;
  /** What runs all tests, or those of some files. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How many tests have passed, in what it says. */
  readonly passed: RegExp;
}

const RUNNERS: Readonly<Record<TestRunner, Runner>> = {
  node: {
    packages: [],
    files: {},
    command: ['--test', '--test-reporter=tap'],
    passed: /^# pass (\d+)$/m,
  },
  jest: {
    packages: ['@jest/globals', '@swc/core', '@swc/jest', 'expect'],
    files: {
      'jest.config.js': `export default {
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\\\.{1,2}/.*)\\\\.js$': ['$1.js', '$1.ts'] },
};
`,
    },
    command: [join(ROOT, 'node_modules/jest/bin/jest.js'), '--watchman=false', '--maxWorkers=2'],
    env: { NODE_OPTIONS: '--experimental-vm-modules --no-warnings' },
    passed: /^Tests: .*?(\d+) passed/m,
  },
  vitest: {
    packages: ['vitest'],
    files: {
      // Packages are links in these projects; vitest would take what is behind them for the project's own code.
      'vitest.config.js': 'export default { resolve: { preserveSymlinks: true } };\n',
    },
    command: [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--maxWorkers=2'],
    passed: /^ +Tests .*?(\d+) passed/m,
  },
};

/** Puts a runner of tests into a project, with its configuration, beside the packages that the project has. */
export async function addRunner(runner: TestRunner, dir: string): Promise<void> {
  await writeProject(dir, RUNNERS[runner].files);
  linkRunner(runner, dir);
}

/** Puts a runner of tests into a project that has its own configuration. */
export function linkRunner(runner: TestRunner, dir: string): void {
  for (const name of RUNNERS[runner].packages) {
    const link = join(dir, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link);
  }
}

/** What a runner runs, and where. */
export interface TestsToRun {
  readonly dir: string;
  /** Some of the project's files; all of its tests unless set. */
  readonly files?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * Runs tests of a project, in a process of their own, as a reader does.
 *
 * @returns how many have passed
 * @throws Error with all that the runner has said, where one has failed
 */
export async function runTests(runner: TestRunner, tests: TestsToRun): Promise<number> {
  const { dir, files = [], env = {}, timeoutMs } = tests;
  const { command, env: needed, passed } = RUNNERS[runner];
  // What this run of tests, or the machine's user, has set is not the project's.
  const { NODE_TEST_CONTEXT, NODE_OPTIONS, TEMPORAL_ADDRESS, ...own } = process.env;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...command, ...files], {
    cwd: dir,
    env: { ...own, ...needed, NO_COLOR: '1', ...env },
    timeout: timeoutMs,
    maxBuffer: 10_000_000,
  }).catch((error: unknown) => {
    // Of a process that has failed, `execFile` has what it has said.
    const said = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${runner} has failed:\n${said.stdout}${said.stderr}`);
  });
  return Number(passed.exec(`${stdout}${stderr}`)?.[1]);
}
