import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ProjectConfig } from '../../src/config/project-config.js';
import type { DataFlowSource } from '../../src/data-flow/compile.js';
import type { Connectors } from '../../src/data-flow/connectors.js';
import type { Models } from '../../src/config/models.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { PipelineSource } from '../../src/pipeline/compile.js';
import type { TaskSource } from '../../src/task/compile.js';
import { readFlow } from './flow-file.js';
import { readModels } from './models-file.js';
import { readPipeline } from './pipeline-file.js';
import { FOLDERS, isDirectory, MODELS_FILE, yamlFiles } from './project-files.js';
import type { Environment } from './secrets.js';
import { shownPath } from './site.js';
import { readTask } from './task-file.js';

/** What the YAML files of a project hold. */
export interface ProjectYaml {
  readonly pipelines: readonly PipelineSource[];
  readonly dataFlows: readonly DataFlowSource[];
  readonly tasks: readonly TaskSource[];
  readonly models: Models;
  readonly problems: readonly Problem[];
}

/**
 * Reads the models, and the pipelines, data flows and tasks that are written in YAML.
 *
 * @param connectors - what flows can name
 */
export function loadYaml(
  dir: string,
  config: ProjectConfig | undefined,
  configSite: Site | undefined,
  env: Environment,
  connectors: Connectors,
): ProjectYaml {
  const configured = config?.configPath === undefined ? undefined : resolve(dir, config.configPath);
  const problems: Problem[] = [];
  if (configured !== undefined && !isDirectory(configured)) {
    problems.push(missingFolder('configPath', configured, dir, configSite));
  }
  const read = <T>(
    files: readonly string[],
    reader: (file: string, text: string) => { source?: T; problems: readonly Problem[] },
  ): readonly T[] =>
    files.flatMap((file) => {
      const { source, problems: found } = reader(shownPath(file, dir), readFileSync(file, 'utf8'));
      problems.push(...found);
      return source === undefined ? [] : [source];
    });
  const pipelines = read(pipelineFiles(dir, configured), readPipeline);
  const dataFlows = read(filesIn(FOLDERS.flows, dir, configured), (file, text) =>
    readFlow(file, text, connectors),
  );
  const templates = (config?.tasks.templatePaths ?? []).map((path) => resolve(dir, path));
  problems.push(
    ...templates
      .filter((folder) => !isDirectory(folder))
      .map((folder) => missingFolder('tasks.templatePaths', folder, dir, configSite)),
  );
  const tasks = read(
    [
      ...new Set([
        ...filesIn(FOLDERS.tasks, dir, configured),
        ...templates.flatMap((folder) => yamlFiles(folder)),
      ]),
    ],
    readTask,
  );
  const modelsFile = join(configured ?? dir, MODELS_FILE);
  if (!existsSync(modelsFile)) return { pipelines, dataFlows, tasks, models: new Map(), problems };
  const models = readModels(shownPath(modelsFile, dir), readFileSync(modelsFile, 'utf8'), env);
  return {
    pipelines,
    dataFlows,
    tasks,
    models: models.models,
    problems: [...problems, ...models.problems],
  };
}

function missingFolder(
  option: string,
  folder: string,
  dir: string,
  configSite: Site | undefined,
): Problem {
  return {
    ...(configSite !== undefined && { site: configSite }),
    definition: 'config',
    message: `config: ${option}: there is no folder ${shownPath(folder, dir)}.`,
  };
}

function pipelineFiles(dir: string, configured: string | undefined): readonly string[] {
  const own =
    configured === undefined
      ? []
      : yamlFiles(configured).filter((file) => file !== join(configured, MODELS_FILE));
  return [...new Set([...filesIn(FOLDERS.pipelines, dir, configured), ...own])];
}

/** YAML files of a folder in the project, and in the one that the configuration names. */
function filesIn(name: string, dir: string, configured: string | undefined): readonly string[] {
  return [dir, configured]
    .filter((folder) => folder !== undefined)
    .flatMap((folder) => yamlFiles(join(folder, name)));
}
