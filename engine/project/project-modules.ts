import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConfigDefinition } from '../../src/config/config.js';
import type { ProjectConfig } from '../../src/config/project-config.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import type { StepHandler } from '../../src/task/handler.js';
import { ambiguousConfigs, readConfig, type ReadConfig } from './config-file.js';
import { bundleModules } from './module-bundle.js';
import { evaluateModules, type LoadedModule } from './module-evaluation.js';
import {
  configFiles,
  contractFiles,
  FOLDERS,
  isDirectory,
  isInActivities,
  moduleFiles,
} from './project-files.js';
import { takeRegistered } from './registered-handlers.js';
import type { Environment } from './secrets.js';
import { readTomlConfig } from './toml-config.js';
import { shownPath } from './site.js';

/** The modules of a project, evaluated. */
export interface ProjectModules {
  /** Undefined where it could not be read. */
  readonly config?: ProjectConfig;
  readonly configSite?: Site;
  /** The files that the configuration is made of: its own, and what it imports; absolute. */
  readonly configInputs: readonly string[];
  readonly modules: readonly LoadedModule[];
  /** Step handlers that the modules have registered. */
  readonly registered: readonly StepHandler[];
  /** Those whose exported functions are activities; absolute paths. */
  readonly activityFiles: ReadonlySet<string>;
  /** Some modules could not be loaded, so that there may be more definitions than these. */
  readonly incomplete: boolean;
  /** Files that others of the project's modules import; absolute. */
  readonly imported: ReadonlySet<string>;
  /** Every file that is part of a module; absolute. */
  readonly inputs: readonly string[];
  readonly problems: readonly Problem[];
}

/** Compiles and evaluates the configuration and every module that may export definitions. */
export async function loadModules(
  dir: string,
  env: Environment,
  over: ConfigDefinition = {},
): Promise<ProjectModules> {
  const toml = readTomlConfig(dir, env);
  const read = (module: LoadedModule | undefined): ReadConfig =>
    readConfig(module, toml, { dir, env }, over);
  const configs = configFiles(dir);
  const activities = moduleFiles(join(dir, FOLDERS.activities));
  const conventional = [
    ...configs.slice(0, 1),
    ...moduleFiles(join(dir, FOLDERS.operations)),
    ...moduleFiles(join(dir, FOLDERS.pipelines)),
    ...moduleFiles(join(dir, FOLDERS.connectors)),
    ...moduleFiles(join(dir, FOLDERS.flows)),
    ...moduleFiles(join(dir, FOLDERS.records)),
    ...moduleFiles(join(dir, FOLDERS.modules)),
    ...moduleFiles(join(dir, FOLDERS.handlers)),
    ...moduleFiles(join(dir, FOLDERS.tasks)),
    ...moduleFiles(join(dir, FOLDERS.subscribers)),
    ...activities,
    ...contractFiles(dir),
  ];
  const first = await loadFiles(dir, conventional, configs[0], read);
  const { files, problems } = autoloaded(dir, first);
  // What the configuration names is only known now, and has to be compiled together with what is known already.
  const more = files.filter((file) => !conventional.includes(file));
  const loaded =
    more.length === 0 ? first : await loadFiles(dir, [...conventional, ...more], configs[0], read);
  return {
    ...loaded,
    configInputs: [...loaded.configInputs, ...toml.files],
    activityFiles: new Set([...activities, ...files.filter((file) => isInActivities(dir, file))]),
    problems: [...ambiguousConfigs(configs, dir), ...loaded.problems, ...problems],
  };
}

type LoadedFiles = Omit<ProjectModules, 'activityFiles'>;

async function loadFiles(
  dir: string,
  files: readonly string[],
  configFile: string | undefined,
  read: (module: LoadedModule | undefined) => ReadConfig,
): Promise<LoadedFiles> {
  const { bundle, problems } = await bundleModules(dir, files);
  if (bundle === undefined) {
    const configInputs = configFile === undefined ? [] : [configFile];
    const nothing = { modules: [], registered: [], imported: new Set<string>(), inputs: [] };
    return { ...nothing, configInputs, incomplete: true, problems };
  }
  takeRegistered();
  const { modules, problems: thrown } = await evaluateModules(dir, files, bundle);
  const registered = takeRegistered();
  const incomplete = modules.length < files.length;
  const configInputs = configFile === undefined ? [] : bundle.inputsOf(configFile);
  const { imported, inputs } = bundle;
  const all = { configInputs, modules, registered, incomplete, imported, inputs };
  const configModule = modules.find(({ file }) => file === configFile);
  if (configFile !== undefined && configModule === undefined)
    return { ...all, problems: [...problems, ...thrown] };
  const { config, site, problems: wrong } = read(configModule);
  return {
    ...all,
    ...(config !== undefined && { config }),
    ...(site !== undefined && { configSite: site }),
    problems: [...problems, ...thrown, ...wrong],
  };
}

/** The modules that the configuration names, beside those that are found without being named. */
function autoloaded(
  dir: string,
  { config, configSite }: LoadedFiles,
): { readonly files: readonly string[]; readonly problems: readonly Problem[] } {
  const named = [
    ...(config?.autoloadPaths ?? []).map((path) => ({ path, option: 'autoloadPaths' })),
    ...(config?.tasks.handlerPaths ?? []).map((path) => ({ path, option: 'tasks.handlerPaths' })),
  ].map(({ path, option }) => ({ path: resolve(dir, path), option }));
  const missing = named.filter(({ path }) => !existsSync(path));
  return {
    files: named.flatMap(({ path }) =>
      isDirectory(path) ? moduleFiles(path) : existsSync(path) ? [path] : [],
    ),
    problems: missing.map(({ path, option }) => ({
      ...(configSite !== undefined && { site: configSite }),
      definition: 'config',
      message: `config: ${option}: there is no file or folder ${shownPath(path, dir)}.`,
    })),
  };
}
