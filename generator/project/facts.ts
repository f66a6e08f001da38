import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { testRunnerOf, type TestRunner } from '../../engine/project/test-runner.js';

/** What templates know of a project, as `project.name`. */
export interface ProjectFacts {
  /** Of package.json, else of the folder. */
  readonly name: string;
  readonly test_runner: TestRunner;
}

/** The names of {@link ProjectFacts}. */
export const PROJECT_FACTS: readonly string[] = Object.keys({
  name: true,
  test_runner: true,
} satisfies Record<keyof ProjectFacts, true>);

const versions = z.record(z.string(), z.string()).catch({});

/** What is looked at of a package.json; whatever is wrong with it is none of our business. */
const packageSchema = z
  .object({
    name: z.string().min(1).optional().catch(undefined),
    dependencies: versions,
    devDependencies: versions,
    scripts: versions,
  })
  .partial()
  .catch({});

/** What is known of the project in a folder. */
export function projectFacts(dir: string): ProjectFacts {
  const { name, ...rest } = packageOf(dir);
  return { name: name ?? basename(dir), test_runner: runnerOf(rest) };
}

/** The packages that a project's package.json names. */
export function projectPackages(dir: string): readonly string[] {
  const { dependencies = {}, devDependencies = {} } = packageOf(dir);
  return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
}

type Package = z.output<typeof packageSchema>;

function packageOf(dir: string): Package {
  const file = join(dir, 'package.json');
  return packageSchema.parse(existsSync(file) ? parsed(readFileSync(file, 'utf8')) : {});
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function runnerOf({ dependencies = {}, devDependencies = {}, scripts = {} }: Package): TestRunner {
  return testRunnerOf(Object.keys({ ...dependencies, ...devDependencies }), scripts['test']);
}
