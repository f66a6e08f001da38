import { resolve, sep } from 'node:path';
import { BUILT_IN_SINKS, BUILT_IN_SOURCES } from '../../adapters/connector/catalog.js';
import type { ConfigDefinition } from '../../src/config/config.js';
import type { ProjectConfig } from '../../src/config/project-config.js';
import { references } from '../../src/config/references.js';
import { shadowProblems } from '../../src/config/routes.js';
import { BUILT_IN_TRANSFORMS } from '../../src/data-flow/built-in/catalog.js';
import { knownOptions } from '../../src/data-flow/known-options.js';
import type { DataFlowSource } from '../../src/data-flow/compile.js';
import type { Models } from '../../src/config/models.js';
import type { Problem, Site } from '../../src/definition/problem.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { BUILT_IN_OPERATIONS } from '../../src/pipeline/built-in/catalog.js';
import type { PipelineSource } from '../../src/pipeline/compile.js';
import type { Pipeline } from '../../src/pipeline/pipeline.js';
import type { Path } from '../../src/pipeline/problem-list.js';
import type { TaskSource } from '../../src/task/compile.js';
import { handlerNames } from '../../src/task/used-handlers.js';
import type { StepHandler } from '../../src/task/handler.js';
import { registerConnectors } from '../data-flow-registry.js';
import { buildRegistry, type Registry } from '../registry.js';
import { checkWorkflows } from './declared-workflows.js';
import { exportedActivities } from './exported-activities.js';
import { exportedDefinitions, type ExportedDefinitions } from './exported-definitions.js';
import { outlineModules } from './module-bundle.js';
import { modulesWithoutPurpose } from './module-purpose.js';
import { CONFIG_FILES, FOLDERS, MODELS_FILE, workflowFiles } from './project-files.js';
import { loadModules, type ProjectModules } from './project-modules.js';
import { inOrder } from './problem-order.js';
import { ProjectText } from './project-text.js';
import { SourcePlaces } from './source-places.js';
import { environmentName, TOML_FOLDER } from './toml-config.js';
import { inFolder } from './project-folder.js';
import { shownSite } from './site.js';
import { loadYaml, type ProjectYaml } from './project-yaml.js';
import { isUnset, type Environment } from './secrets.js';

/** A project that was loaded from a folder: everything that a server or a worker needs to know of it. */
export interface Project {
  /** The folder; absolute, without symbolic links. */
  readonly dir: string;
  readonly config: ProjectConfig;
  /** The files that the configuration is made of: its own, and what it imports; absolute. */
  readonly configFiles: readonly string[];
  readonly registry: Registry;
  /** The models of `config.yml`. `${ENV}` and `secret://ref` in them are not resolved: see `resolveReferences`. */
  readonly models: Models;
  /** Modules with workflow code, for the worker's bundle; absolute paths. */
  readonly workflowFiles: readonly string[];
}

/** What loading gave. */
export interface LoadedProject {
  /** The project, unless there is an error among the problems. */
  readonly project?: Project;
  /** Everything that is wrong, in the order of files and lines. Their files are relative to the project. */
  readonly problems: readonly Problem[];
  /** Files and folders, absolute, of which a change means that the project should be loaded again. */
  readonly watched: readonly string[];
}

/**
 * Loads a project: its configuration, its definitions in TypeScript and YAML, its models, its workflows. Nothing is
 * thrown for what a person wrote. Compiles into `<dir>/.millrace/build`; loading again reads every file again.
 *
 * @param directory - the project's folder
 * @param options.env - the environment that `${ENV}` refers to; that of the process unless set
 * @param options.config - wins over what the project's config says, option by option
 */
export async function loadProject(
  directory: string,
  options: { readonly env?: Environment; readonly config?: ConfigDefinition } = {},
): Promise<LoadedProject> {
  const { env = process.env, config = {} } = options;
  return inFolder(
    directory,
    (dir) => load(dir, env, config),
    (problem) => ({ problems: [problem], watched: [] }),
  );
}

async function load(dir: string, env: Environment, over: ConfigDefinition): Promise<LoadedProject> {
  const modules = await loadModules(dir, env, over);
  const exported = exportedDefinitions(modules.modules, dir);
  const { connectors, problems: wrongConnectors } = registerConnectors({
    sources: [...BUILT_IN_SOURCES.map(withoutSite), ...exported.sources],
    sinks: [...BUILT_IN_SINKS.map(withoutSite), ...exported.sinks],
    transforms: [...BUILT_IN_TRANSFORMS.map(withoutSite), ...exported.transforms],
  });
  const yaml = loadYaml(dir, modules.config, modules.configSite, env, connectors);
  const text = new ProjectText(dir);
  const { registry, problems: compiled } = compile(modules, exported, yaml, text, env);
  const pipelines = [...(registry?.definitions.values() ?? [])].filter(
    ({ kind }) => kind === 'pipeline',
  );
  const workflows = await loadWorkflows(modules, new Set(pipelines.map(({ name }) => name)), dir);
  const { config } = modules;
  const watched = watchedBy(dir, config, [
    ...modules.inputs,
    ...modules.configInputs,
    ...workflows.inputs,
    ...text.files,
  ]);
  const problems = [
    ...modules.problems,
    ...wrongConnectors,
    ...yaml.problems,
    ...compiled,
    ...workflows.problems,
    ...(await modulesWithoutPurpose(modules, workflows.inputs, dir)),
    ...namedProblems(modules, registry),
    ...unsetVariables(registry, env),
  ];
  const loaded = { problems: inOrder(problems), watched };
  const wrong = problems.some((problem) => problem.severity !== 'warning');
  if (wrong || registry === undefined || config === undefined) return loaded;
  const { configInputs: configFiles } = modules;
  const { files: workflowFiles } = workflows;
  const { models } = yaml;
  return { ...loaded, project: { dir, config, configFiles, registry, models, workflowFiles } };
}

function compile(
  { modules, registered, activityFiles, incomplete }: ProjectModules,
  exported: ExportedDefinitions,
  yaml: ProjectYaml,
  text: ProjectText,
  env: Environment,
): ReturnType<typeof buildRegistry> {
  const operations = [...BUILT_IN_OPERATIONS.map(withoutSite), ...exported.operations];
  const { locate } = new SourcePlaces(text.dir);
  const written = exported.pipelines.map((definition) => ({
    definition,
    locate: (path: Path) => locate(definition.site, path),
  }));
  const pipelines: readonly PipelineSource[] = [...written, ...yaml.pipelines];
  const flows = exported.dataFlows.map((definition): DataFlowSource => ({
    definition,
    locate: (path) => locate(definition.site, path),
  }));
  const tasks: readonly TaskSource[] = [
    ...exported.tasks.map((definition) => ({
      definition,
      locate: (path: Path) => locate(definition.site, path),
    })),
    ...yaml.tasks,
  ];
  const environment = environmentName(env);
  const stepHandlers = [
    ...exported.stepHandlers,
    ...registered.map((handler) => withShownSite(handler, text.dir)),
  ];
  const names = new Set(operations.map((operation) => operation.name));
  return buildRegistry({
    operations,
    // While a module is broken, what it would define is not known, and a pipeline that uses it is not to blame.
    pipelines: incomplete
      ? pipelines.filter(({ definition }) => usesOnly(names, definition))
      : pipelines,
    workflows: exported.workflows,
    activities: exportedActivities(modules, activityFiles, text.dir),
    dataFlows: [...flows, ...yaml.dataFlows],
    recordPipelines: exported.recordPipelines.map((definition) => ({
      definition,
      locate: (path) => locate(definition.site, path),
    })),
    modules: exported.attributeModules,
    subscribers: exported.subscribers,
    stepHandlers,
    tasks: incomplete ? tasks.filter(usesKnownHandlers(stepHandlers)) : tasks,
    ...(environment !== undefined && { environment }),
    models: yaml.models,
    readFile: text.read,
    locate,
  });
}

/** Where our own operations and connectors are written helps nobody who reads a message. */
function withoutSite<T extends { readonly site?: Site }>(own: T): Omit<T, 'site'> {
  const { site: _, ...rest } = own;
  return rest;
}

function usesOnly(names: ReadonlySet<string>, { stages }: Pipeline): boolean {
  // Definitions come from YAML and plain JavaScript too, so any part of one may be missing.
  const written = (stages as Pipeline['stages'] | undefined) ?? [];
  return written.every((stage) =>
    ((stage as Partial<typeof stage>).operations ?? []).every((use) => {
      const type = typeof use === 'object' && 'type' in use ? use.type : use;
      return names.has(typeof type === 'string' ? type : type.name);
    }),
  );
}

/** The place of what is exported is made relative to the project by whoever finds it; what was registered comes as it is. */
function withShownSite(handler: StepHandler, dir: string): StepHandler {
  return handler.site === undefined ? handler : { ...handler, site: shownSite(handler.site, dir) };
}

/** While a module is broken, what it would define is not known, and a task that uses it is not to blame. */
function usesKnownHandlers(handlers: readonly StepHandler[]): (source: TaskSource) => boolean {
  const known = new Set(handlers.map(({ name }) => name));
  return ({ definition }) => handlerNames(definition).every((name) => known.has(name));
}

async function loadWorkflows(
  { modules, activityFiles }: ProjectModules,
  pipelines: ReadonlySet<string>,
  dir: string,
): Promise<{
  readonly files: readonly string[];
  readonly inputs: readonly string[];
  readonly problems: readonly Problem[];
}> {
  const files = workflowFiles(dir);
  const { bundle, problems } = await outlineModules(dir, files);
  if (bundle === undefined) return { files, inputs: [], problems };
  const { workflows } = exportedDefinitions(modules, dir);
  return {
    files,
    inputs: bundle.inputs,
    problems: [
      ...problems,
      ...checkWorkflows(workflows, bundle, { pipelines, activityFiles, dir }),
    ],
  };
}

/** Names in the configuration that no definition has, and routes in the place of definitions. */
function namedProblems(
  { config, configSite, incomplete }: ProjectModules,
  registry: Registry | undefined,
): readonly Problem[] {
  // While a module is broken, what it would define is not known.
  if (registry === undefined || config === undefined || incomplete) return [];
  const known = [...registry.definitions.keys()];
  const { exposePipes, routes } = config;
  const named = [
    ...(typeof exposePipes === 'object' ? exposePipes : []).map((name) => ({
      name,
      option: 'exposePipes',
    })),
    ...routes.map(({ pipeline }, at) => ({ name: pipeline, option: `routes[${String(at)}]` })),
  ];
  const unknown = named
    .filter(({ name }) => !known.includes(name))
    .map(({ name, option }) => ({
      definition: 'config',
      message: `config: ${option}: there is no pipeline, task or workflow "${name}".${suggestion(name, known)}`,
    }));
  return [...unknown, ...shadowProblems(config, [...registry.definitions.values()])].map(
    (problem) => ({
      ...(configSite !== undefined && { site: configSite }),
      ...problem,
    }),
  );
}

/** Environment variables that the options of data flows refer to and that are not set. */
function unsetVariables(registry: Registry | undefined, env: Environment): readonly Problem[] {
  return [...(registry?.dataFlows.values() ?? [])].flatMap((flow) =>
    references(knownOptions(flow))
      .filter(({ kind, name }) => kind === 'env' && isUnset(env, name))
      .map(({ name }) => ({
        ...(flow.site !== undefined && { site: flow.site }),
        definition: flow.name,
        message: `${flow.name}: the environment variable ${name} is not set. Set it before you start, or take the reference out.`,
      })),
  );
}

function watchedBy(
  dir: string,
  config: ProjectConfig | undefined,
  files: readonly string[],
): readonly string[] {
  const named = [
    ...(config?.autoloadPaths ?? []),
    ...(config?.tasks.handlerPaths ?? []),
    ...(config?.tasks.templatePaths ?? []),
    ...(config?.configPath === undefined ? [] : [config.configPath]),
  ];
  const places = [
    ...[...Object.values(FOLDERS), ...CONFIG_FILES, TOML_FOLDER],
    ...[MODELS_FILE, ...named],
  ].map((path) => resolve(dir, path));
  const beside = files.filter((file) => !places.some((place) => file.startsWith(place + sep)));
  return [...new Set([...places, ...beside])];
}
