import type { AttributeModule } from '../src/attribute-pipeline/module.js';
import {
  moduleRegistry,
  type ModuleRegistry,
} from '../src/attribute-pipeline/modules/module-registry.js';
import type { CompiledDataFlow, DataFlowSource } from '../src/data-flow/compile.js';
import type { Activity } from '../src/definition/activity.js';
import { compileWorkflow, type CompiledWorkflow } from '../src/definition/compiled-workflow.js';
import { activityNameProblem, nameProblem } from '../src/definition/name.js';
import type { Problem, Site } from '../src/definition/problem.js';
import type { Workflow } from '../src/definition/workflow.js';
import { subscriberProblems, type Subscriber } from '../src/event/subscriber.js';
import {
  compilePipeline,
  type CompiledPipeline,
  type PipelineSource,
} from '../src/pipeline/compile.js';
import type { CompileEnvironment } from '../src/pipeline/compile-environment.js';
import { operationProblems } from '../src/pipeline/operation-check.js';
import type { Operation } from '../src/pipeline/operation.js';
import type { Path } from '../src/pipeline/problem-list.js';
import {
  compileRecordPipeline,
  type CompiledRecordPipeline,
  type RecordPipelineSource,
} from '../src/record-pipeline/compile.js';
import { compileTask, type CompiledTask, type TaskSource } from '../src/task/compile.js';
import { stepHandlerProblems } from '../src/task/handler-check.js';
import type { StepHandler } from '../src/task/handler.js';
import { handlersInHand } from '../src/task/used-handlers.js';
import { compileDataFlows } from './data-flow-registry.js';

/** Anything that can be started by its name. */
export type Definition = CompiledPipeline | CompiledWorkflow | CompiledTask;

/** What the project's files define, as they were found. */
export interface Sources {
  readonly operations: readonly Operation[];
  readonly pipelines: readonly PipelineSource[];
  readonly workflows: readonly Workflow[];
  readonly activities?: readonly Activity[];
  readonly dataFlows?: readonly DataFlowSource[];
  readonly recordPipelines?: readonly RecordPipelineSource[];
  readonly modules?: readonly AttributeModule[];
  /** Exported or registered, or both. Those that tasks use as objects are found there. */
  readonly stepHandlers?: readonly StepHandler[];
  readonly tasks?: readonly TaskSource[];
  readonly subscribers?: readonly Subscriber[];
  /** The environment whose overrides hold in task templates: `production`. */
  readonly environment?: string;
  readonly models: CompileEnvironment['models'];
  readonly readFile: CompileEnvironment['readFile'];
  /** Where something of an operation or a workflow is written, whose definition is at `site`; there unless given. */
  readonly locate?: (site: Site | undefined, path: Path) => Site | undefined;
}

/** All definitions, compiled, by name. There is one name space for whatever can be started, data flows included. */
export interface Registry {
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly operations: ReadonlyMap<string, Operation>;
  /** The project's own activities, which hand-written workflows schedule. */
  readonly activities: ReadonlyMap<string, Activity>;
  readonly dataFlows: ReadonlyMap<string, CompiledDataFlow>;
  readonly recordPipelines: ReadonlyMap<string, CompiledRecordPipeline>;
  /** The modules that attribute pipelines are made of. */
  readonly modules: ModuleRegistry;
  /** The code of the steps of tasks. */
  readonly stepHandlers: ReadonlyMap<string, StepHandler>;
  /** Code that is told of events. */
  readonly subscribers: ReadonlyMap<string, Subscriber>;
}

/** A registry without any definition. */
export const EMPTY_REGISTRY: Registry = {
  definitions: new Map(),
  operations: new Map(),
  activities: new Map(),
  dataFlows: new Map(),
  recordPipelines: new Map(),
  modules: moduleRegistry([]).modules,
  stepHandlers: new Map(),
  subscribers: new Map(),
};

/**
 * Compiles everything a project defines. With an error among the problems there is no registry: definitions load all or
 * none, so that a process never serves half a project.
 */
export function buildRegistry(sources: Sources): {
  readonly registry?: Registry;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const operations = registerOperations(sources, problems);
  const activities = registerActivities(sources.activities ?? [], operations, problems);
  const stepHandlers = registerStepHandlers(sources, { operations, activities }, problems);
  const subscribers = registerSubscribers(sources.subscribers ?? [], problems);
  const environment = { operations, models: sources.models, readFile: sources.readFile };
  const compiled = [
    ...sources.pipelines.map((source) => {
      const { pipeline, problems: found } = compilePipeline(source, environment);
      problems.push(...found);
      return pipeline;
    }),
    ...sources.workflows.map((definition) => {
      const { locate } = sources;
      const { workflow, problems: found } = compileWorkflow(
        definition,
        locate === undefined ? undefined : (path) => locate(definition.site, path),
      );
      problems.push(...found);
      return workflow;
    }),
    ...(sources.tasks ?? []).map((source) => {
      const { environment: named } = sources;
      const { task, problems: found } = compileTask(source, {
        handlers: stepHandlers,
        ...(named !== undefined && { environment: named }),
      });
      problems.push(...found);
      return task;
    }),
  ].filter((definition) => definition !== undefined);
  const flows = compileDataFlows(sources.dataFlows ?? []);
  problems.push(...flows.problems);
  const records = (sources.recordPipelines ?? []).flatMap((source) => {
    const { pipeline, problems: found } = compileRecordPipeline(source);
    problems.push(...found);
    return pipeline ?? [];
  });
  const { modules, problems: wrongModules } = moduleRegistry(sources.modules ?? []);
  problems.push(...wrongModules);
  const all = unique([...compiled, ...flows.flows, ...records], 'definition', problems);
  const wrong = problems.some((problem) => problem.severity !== 'warning');
  return wrong
    ? { problems }
    : {
        registry: {
          operations,
          activities,
          stepHandlers,
          subscribers,
          modules,
          ...byKind([...all.values()]),
        },
        problems,
      };
}

/** What can be started, by kind and name. */
function byKind(
  all: readonly (Definition | CompiledDataFlow | CompiledRecordPipeline)[],
): Pick<Registry, 'definitions' | 'dataFlows' | 'recordPipelines'> {
  const definitions = new Map<string, Definition>();
  const dataFlows = new Map<string, CompiledDataFlow>();
  const recordPipelines = new Map<string, CompiledRecordPipeline>();
  for (const found of all) {
    switch (found.kind) {
      case 'data_flow':
        dataFlows.set(found.name, found);
        break;
      case 'record_pipeline':
        recordPipelines.set(found.name, found);
        break;
      default:
        definitions.set(found.name, found);
    }
  }
  return { definitions, dataFlows, recordPipelines };
}

function registerOperations(
  { operations, locate = (site) => site }: Sources,
  problems: Problem[],
): ReadonlyMap<string, Operation> {
  const named = operations.filter((operation) => {
    const wrong = nameProblem(operation.name);
    if (wrong !== undefined)
      problems.push({
        ...siteOf(operation),
        definition: operation.name,
        message: `operation ${wrong}`,
      });
    problems.push(...operationProblems(operation, (path) => locate(operation.site, path)));
    return wrong === undefined;
  });
  return unique(named, 'operation', problems);
}

/** Operations are activities of Temporal too, so that both share one name space. */
function registerActivities(
  activities: readonly Activity[],
  operations: ReadonlyMap<string, Operation>,
  problems: Problem[],
): ReadonlyMap<string, Activity> {
  const named = activities.filter((activity) => {
    const operation = operations.get(activity.name);
    const message =
      activityNameProblem(activity.name) ??
      (operation === undefined
        ? undefined
        : `exports a function "${activity.name}", which is the name of an operation of ${placeOf(operation)}: Temporal could not tell the two apart. Rename one of them.`);
    if (message !== undefined)
      problems.push({ ...siteOf(activity), definition: activity.name, message });
    return message === undefined;
  });
  return unique(named, 'activity', problems);
}

/** Handlers are activities of Temporal too. */
function registerStepHandlers(
  { stepHandlers = [], tasks = [], locate = (site) => site }: Sources,
  others: Pick<Registry, 'operations' | 'activities'>,
  problems: Problem[],
): ReadonlyMap<string, StepHandler> {
  const inHand = tasks.flatMap(({ definition }) => handlersInHand(definition));
  const all = onceEach([...stepHandlers, ...inHand]);
  for (const handler of all) {
    const { name, site } = handler;
    const operation = others.operations.get(name);
    const other = operation ?? others.activities.get(name);
    problems.push(...stepHandlerProblems(handler, (path) => locate(site, path)));
    if (other !== undefined)
      problems.push({
        ...siteOf(handler),
        definition: name,
        message: `step handler "${name}" has the name of an ${operation === undefined ? 'activity' : 'operation'} of ${placeOf(other)}: Temporal could not tell the two apart. Rename one of them.`,
      });
  }
  return unique(all, 'step handler', problems);
}

function registerSubscribers(
  subscribers: readonly Subscriber[],
  problems: Problem[],
): ReadonlyMap<string, Subscriber> {
  problems.push(...subscribers.flatMap(subscriberProblems));
  return unique(subscribers, 'subscriber', problems);
}

/**
 * Handlers without those that were found before in another way: exported, registered, used as objects. They may have been copied since,
 * with another site; their methods are the same object then, and no other handler's, even where they share a function.
 */
function onceEach(handlers: readonly StepHandler[]): readonly StepHandler[] {
  const first = new Map<StepHandler['methods'], StepHandler>();
  for (const handler of handlers)
    if (!first.has(handler.methods)) first.set(handler.methods, handler);
  return [...first.values()];
}

function unique<T extends { readonly name: string; readonly site?: Site }>(
  items: readonly T[],
  what: string,
  problems: Problem[],
): ReadonlyMap<string, T> {
  const byName = new Map<string, T>();
  for (const item of items) {
    const other = byName.get(item.name);
    if (other === undefined) {
      byName.set(item.name, item);
    } else {
      const message = `${what} "${item.name}" is already defined by ${placeOf(other)}. Rename one of them.`;
      problems.push({ ...siteOf(item), definition: item.name, message });
    }
  }
  return byName;
}

function placeOf({ site }: { readonly site?: Site }): string {
  return site === undefined ? 'the product itself' : `${site.file}:${String(site.line ?? 1)}`;
}

function siteOf(item: { readonly site?: Site }): { readonly site?: Site } {
  return item.site === undefined ? {} : { site: item.site };
}
