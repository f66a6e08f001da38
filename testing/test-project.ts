import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';
import { loadProject, type Project } from '../engine/project/load-project.js';
import type { Environment } from '../engine/project/secrets.js';
import { buildRegistry } from '../engine/registry.js';
import { parseConfig, type ConfigDefinition } from '../src/config/config.js';
import type { DataFlow } from '../src/data-flow/data-flow.js';
import { isDefinition } from '../src/definition/brand.js';
import { DefinitionError } from '../src/definition/problem.js';
import type { Workflow } from '../src/definition/workflow.js';
import { BUILT_IN_OPERATIONS } from '../src/pipeline/built-in/catalog.js';
import type { ModelReference } from '../src/pipeline/context.js';
import type { Operation } from '../src/pipeline/operation.js';
import type { Pipeline } from '../src/pipeline/pipeline.js';
import type { RecordPipeline } from '../src/record-pipeline/record-pipeline.js';

/** Definitions that a test has in its hands, without a folder. */
export interface TestDefinitions {
  /** Operations that pipelines use by their name. Those that they use as objects are found there. */
  readonly operations?: readonly Operation[];
  readonly pipelines?: readonly Pipeline[];
  readonly workflows?: readonly Workflow[];
  readonly dataFlows?: readonly DataFlow[];
  readonly recordPipelines?: readonly RecordPipeline[];
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
  options: TestProjectOptions,
): Promise<Project> {
  if (sources.dir === undefined) return definedProject(sources, options);
  const { config, env } = options;
  const { project, problems } = await loadProject(sources.dir, { config, env });
  if (project === undefined) throw new DefinitionError(problems);
  return project;
}

async function definedProject(
  {
    operations = [],
    pipelines = [],
    workflows = [],
    dataFlows = [],
    recordPipelines = [],
    workflowFiles = [],
  }: TestDefinitions,
  { config: given, models }: TestProjectOptions,
): Promise<Project> {
  const { config, problems } = parseConfig(given);
  const built = buildRegistry({
    operations: [...new Set([...BUILT_IN_OPERATIONS, ...operations, ...pipelines.flatMap(usedBy)])],
    pipelines: pipelines.map((definition) => ({ definition, locate: () => definition.site })),
    workflows,
    dataFlows: dataFlows.map((definition) => ({ definition, locate: () => definition.site })),
    recordPipelines: recordPipelines.map((definition) => ({
      definition,
      locate: () => definition.site,
    })),
    models,
    readFile: () => undefined,
  });
  if (config === undefined || built.registry === undefined)
    throw new DefinitionError([...problems, ...built.problems]);
  // Nothing is loaded from there: bundles of workflow code are kept in it, below the user's own cache.
  const dir = join(envPaths('millrace', { suffix: '' }).cache, 'testing');
  await mkdir(dir, { recursive: true });
  return {
    dir,
    config,
    registry: built.registry,
    models: new Map(),
    workflowFiles: workflowFiles.map(filePath),
    configFiles: [],
  };
}

/** The operations that a pipeline uses as objects. */
function usedBy({ stages }: Pipeline): readonly Operation[] {
  return stages
    .flatMap(({ operations }) => operations)
    .map((use) => (typeof use === 'object' && 'type' in use ? use.type : use))
    .filter((type): type is Operation => isDefinition(type, 'operation'));
}

function filePath(file: string | URL): string {
  return file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : file;
}
