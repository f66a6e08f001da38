import { resolve } from 'node:path';
import { loadProject, type LoadedProject, type Project } from '../engine/project/load-project.js';
import { ProjectRefused } from './exit-code.js';
import { problemReport } from './problem-report.js';

/** The folder that a command works in. */
export function projectDir(dir: string | undefined): string {
  return resolve(dir ?? '.');
}

/**
 * Loads a project for a command that cannot do without. Warnings are printed.
 *
 * @throws {@link ProjectRefused} with the report of everything that is wrong
 */
export async function requireProject(dir: string): Promise<Project> {
  return projectOf(await loadProject(dir));
}

/** The project of what was loaded, or the report of why there is none. Warnings are printed. */
export function projectOf({ project, problems }: LoadedProject): Project {
  if (project === undefined) throw new ProjectRefused(problemReport(problems));
  if (problems.length > 0) process.stderr.write(`${problemReport(problems)}\n`);
  return project;
}
