import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ProjectConfig } from '../../src/config/config.js';
import type { Models } from '../../src/config/models.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { PipelineSource } from '../../src/pipeline/compile.js';
import { readModels } from './models-file.js';
import { readPipeline } from './pipeline-file.js';
import { FOLDERS, isDirectory, MODELS_FILE, yamlFiles } from './project-files.js';
import type { Environment } from './secrets.js';
import { shownPath } from './site.js';

/** What the YAML files of a project hold. */
export interface ProjectYaml {
  readonly pipelines: readonly PipelineSource[];
  readonly models: Models;
  readonly problems: readonly Problem[];
}

/** Reads the models, and the pipelines that are written in YAML. */
export function loadYaml(
  dir: string,
  config: ProjectConfig | undefined,
  configSite: Site | undefined,
  env: Environment,
): ProjectYaml {
  const configured = config?.configPath === undefined ? undefined : resolve(dir, config.configPath);
  const problems: Problem[] = [];
  if (configured !== undefined && !isDirectory(configured)) {
    const message = `config: configPath: there is no folder ${shownPath(configured, dir)}.`;
    problems.push({
      ...(configSite !== undefined && { site: configSite }),
      definition: 'config',
      message,
    });
  }
  const pipelines = pipelineFiles(dir, configured).flatMap((file) => {
    const { source, problems: found } = readPipeline(
      shownPath(file, dir),
      readFileSync(file, 'utf8'),
    );
    problems.push(...found);
    return source === undefined ? [] : [source];
  });
  const modelsFile = join(configured ?? dir, MODELS_FILE);
  if (!existsSync(modelsFile)) return { pipelines, models: new Map(), problems };
  const read = readModels(shownPath(modelsFile, dir), readFileSync(modelsFile, 'utf8'), env);
  return { pipelines, models: read.models, problems: [...problems, ...read.problems] };
}

function pipelineFiles(dir: string, configured: string | undefined): readonly string[] {
  const own =
    configured === undefined
      ? []
      : yamlFiles(configured).filter((file) => file !== join(configured, MODELS_FILE));
  const below = [dir, configured]
    .filter((folder) => folder !== undefined)
    .flatMap((folder) => yamlFiles(join(folder, FOLDERS.pipelines)));
  return [...new Set([...below, ...own])];
}
