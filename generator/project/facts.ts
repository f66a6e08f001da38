import { basename } from 'node:path';
import { nearestPackage, packageIn } from '../../engine/project/package-file.js';
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

/** What is known of the project in a folder. */
export function projectFacts(dir: string): ProjectFacts {
  return {
    name: packageIn(dir)?.name ?? basename(dir),
    test_runner: testRunnerOf(nearestPackage(dir)),
  };
}

/** What is known of a project that is being set up: it gets a package.json of its own, whatever is above it. */
export function newProjectFacts(dir: string): ProjectFacts {
  return { ...projectFacts(dir), test_runner: testRunnerOf(packageIn(dir)) };
}
