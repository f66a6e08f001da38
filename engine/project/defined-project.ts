import { type ConfigDefinition } from '../../src/config/config.js';
import { parseConfig } from '../../src/config/project-config.js';
import type { AttributeModule } from '../../src/attribute-pipeline/module.js';
import type { DataFlow } from '../../src/data-flow/data-flow.js';
import { isDefinition } from '../../src/definition/brand.js';
import { DefinitionError, type Site } from '../../src/definition/problem.js';
import type { Workflow } from '../../src/definition/workflow.js';
import { BUILT_IN_OPERATIONS } from '../../src/pipeline/built-in/catalog.js';
import type { Subscriber } from '../../src/event/subscriber.js';
import type { ModelReference } from '../../src/pipeline/context.js';
import type { Operation } from '../../src/pipeline/operation.js';
import type { Pipeline } from '../../src/pipeline/pipeline.js';
import type { RecordPipeline } from '../../src/record-pipeline/record-pipeline.js';
import type { StepHandler } from '../../src/task/handler.js';
import type { Task } from '../../src/task/task.js';
import { buildRegistry } from '../registry.js';
import type { Project } from './load-project.js';

/** Definitions that somebody has in hand, without a folder. */
export interface Definitions {
  /** Operations that pipelines use by their name. Those that they use as objects are found there. */
  readonly operations?: readonly Operation[];
  readonly pipelines?: readonly Pipeline[];
  readonly workflows?: readonly Workflow[];
  readonly dataFlows?: readonly DataFlow[];
  readonly recordPipelines?: readonly RecordPipeline[];
  /** Modules of attribute pipelines, beside Millrace's own. */
  readonly modules?: readonly AttributeModule[];
  /** Handlers that tasks use by their name. Those that they use as objects are found there. */
  readonly stepHandlers?: readonly StepHandler[];
  readonly tasks?: readonly Task[];
  readonly subscribers?: readonly Subscriber[];
}

/** What else a project is made of. */
export interface DefinedProjectOptions {
  /** Where it keeps what it needs; absolute. Nothing is loaded from there. */
  readonly dir: string;
  readonly config: ConfigDefinition;
  /** Models by their names, which operations may ask for. */
  readonly models?: ReadonlyMap<string, ModelReference>;
  /** Modules with workflow code; absolute paths. */
  readonly workflowFiles?: readonly string[];
}

/** A project of definitions that somebody has in hand. @throws {@link DefinitionError} with every problem */
export function definedProject(
  definitions: Definitions,
  { dir, config: given, models = new Map(), workflowFiles = [] }: DefinedProjectOptions,
): Project {
  const {
    operations = [],
    pipelines = [],
    workflows = [],
    dataFlows = [],
    recordPipelines = [],
    modules = [],
    stepHandlers = [],
    tasks = [],
    subscribers = [],
  } = definitions;
  const { config, problems } = parseConfig(given);
  const built = buildRegistry({
    operations: [...new Set([...BUILT_IN_OPERATIONS, ...operations, ...pipelines.flatMap(usedBy)])],
    pipelines: pipelines.map(source),
    workflows,
    dataFlows: dataFlows.map(source),
    recordPipelines: recordPipelines.map(source),
    modules,
    stepHandlers,
    tasks: tasks.map(source),
    subscribers,
    models,
    readFile: () => undefined,
  });
  if (config === undefined || built.registry === undefined)
    throw new DefinitionError([...problems, ...built.problems]);
  return {
    dir,
    config,
    registry: built.registry,
    models: new Map(),
    workflowFiles,
    configFiles: [],
  };
}

function source<D extends { readonly site?: Site }>(
  definition: D,
): { readonly definition: D; readonly locate: () => Site | undefined } {
  return { definition, locate: () => definition.site };
}

/** The operations that a pipeline uses as objects. */
function usedBy({ stages }: Pipeline): readonly Operation[] {
  return stages
    .flatMap(({ operations }) => operations)
    .map((use) => (typeof use === 'object' && 'type' in use ? use.type : use))
    .filter((type): type is Operation => isDefinition(type, 'operation'));
}
