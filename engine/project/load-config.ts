import type { ProjectConfig } from '../../src/config/project-config.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import { ambiguousConfigs, readConfig } from './config-file.js';
import { bundleModules } from './module-bundle.js';
import { evaluateModules, type LoadedModule } from './module-evaluation.js';
import { inOrder } from './problem-order.js';
import { configFiles } from './project-files.js';
import { inFolder } from './project-folder.js';
import type { Environment } from './secrets.js';
import { readTomlConfig } from './toml-config.js';

/** The configuration of a project, with where each option comes from. */
export interface LoadedConfig {
  /** Absent with an error among the problems. */
  readonly config?: ProjectConfig;
  /** What is set, by the names that code uses. */
  readonly written: unknown;
  /** Where an option is set; undefined where it has its default. */
  readonly siteOf: (path: Path) => Site | undefined;
  /** The files that it is made of; absolute. */
  readonly files: readonly string[];
  readonly problems: readonly Problem[];
}

/** Loads the configuration of a project, and none of its definitions. @param directory - the project's folder */
export async function loadConfig(directory: string, env: Environment): Promise<LoadedConfig> {
  const nothing = { written: {}, siteOf: () => undefined, files: [] };
  return inFolder(
    directory,
    (dir) => load(dir, env),
    (problem) => ({ ...nothing, problems: [problem] }),
  );
}

async function load(dir: string, env: Environment): Promise<LoadedConfig> {
  const toml = readTomlConfig(dir, env);
  const there = configFiles(dir);
  const files = [...toml.files, ...there];
  const ambiguous = ambiguousConfigs(there, dir);
  const { module, problems: unread } = await configModule(dir, there[0]);
  // What a module that cannot be read would have set is not known.
  if (module === undefined && there.length > 0)
    return {
      written: {},
      siteOf: toml.siteOf,
      files,
      problems: inOrder([...ambiguous, ...unread]),
    };
  const { config, written, siteOf, problems: wrong } = readConfig(module, toml, { dir, env });
  const problems = inOrder([...ambiguous, ...unread, ...wrong]);
  const isRight = problems.every(({ severity }) => severity === 'warning');
  return { ...(isRight && config !== undefined && { config }), written, siteOf, files, problems };
}

async function configModule(
  dir: string,
  file: string | undefined,
): Promise<{ readonly module?: LoadedModule; readonly problems: readonly Problem[] }> {
  if (file === undefined) return { problems: [] };
  const { bundle, problems: unread } = await bundleModules(dir, [file]);
  if (bundle === undefined) return { problems: unread };
  const { modules, problems: thrown } = await evaluateModules(dir, [file], bundle);
  const [module] = modules;
  return { ...(module !== undefined && { module }), problems: [...unread, ...thrown] };
}
