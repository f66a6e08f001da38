import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';
import { definedProject, type Definitions } from '../engine/project/defined-project.js';
import { loadProject, type Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import type { ConfigDefinition } from '../src/config/config.js';
import { DefinitionError } from '../src/definition/problem.js';
import type { ModelReference } from '../src/pipeline/context.js';

/** Definitions that a test has in its hands, without a folder. */
export interface TestDefinitions extends Definitions {
  /** Modules with the functions of those workflows: absolute paths, or `file:` URLs. */
  readonly workflowFiles?: readonly (string | URL)[];
}

/** What a test environment runs: a project's folder, or definitions. */
export type TestSources =
  | ({ readonly dir: string } & { readonly [N in keyof TestDefinitions]?: never })
  | (TestDefinitions & { readonly dir?: never });

/** What else decides how a test's project is loaded. */
export interface TestProjectOptions {
  readonly config: ConfigDefinition;
  readonly env: Environment;
  /** Doubles of models, by their names. */
  readonly models: ReadonlyMap<string, ModelReference>;
}

/** The project that a test runs. @throws {@link DefinitionError} with every problem */
export async function testProject(
  sources: TestSources,
  { config, env, models }: TestProjectOptions,
): Promise<Project> {
  if (sources.dir === undefined) {
    // Bundles of workflow code are kept there, below the user's own cache.
    const dir = join(envPaths('millrace', { suffix: '' }).cache, 'testing');
    await mkdir(dir, { recursive: true });
    const workflowFiles = (sources.workflowFiles ?? []).map(filePath);
    return definedProject(sources, { dir, config, models, workflowFiles });
  }
  const { project, problems } = await loadProject(sources.dir, { config, env });
  if (project === undefined) throw new DefinitionError(problems);
  return project;
}

function filePath(file: string | URL): string {
  return file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : file;
}
