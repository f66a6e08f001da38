import { compileWorkflow, type CompiledWorkflow } from '../src/definition/compiled-workflow.js';
import { nameProblem } from '../src/definition/name.js';
import type { Problem, Site } from '../src/definition/problem.js';
import type { Workflow } from '../src/definition/workflow.js';
import {
  compilePipeline,
  type CompiledPipeline,
  type CompileEnvironment,
  type PipelineSource,
} from '../src/pipeline/compile.js';
import type { Operation } from '../src/pipeline/operation.js';

/** Anything that can be started by its name. */
export type Definition = CompiledPipeline | CompiledWorkflow;

/** What the project's files define, as they were found. */
export interface Sources {
  readonly operations: readonly Operation[];
  readonly pipelines: readonly PipelineSource[];
  readonly workflows: readonly Workflow[];
  readonly models: CompileEnvironment['models'];
  readonly readFile: CompileEnvironment['readFile'];
}

/** All definitions, compiled, by name. There is one name space for whatever can be started. */
export interface Registry {
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly operations: ReadonlyMap<string, Operation>;
}

/** A registry without any definition. */
export const EMPTY_REGISTRY: Registry = { definitions: new Map(), operations: new Map() };

/**
 * Compiles everything a project defines. With an error among the problems there is no registry: definitions load all or
 * none, so that a process never serves half a project.
 */
export function buildRegistry(sources: Sources): {
  readonly registry?: Registry;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const operations = registerOperations(sources.operations, problems);
  const environment = { operations, models: sources.models, readFile: sources.readFile };
  const compiled = [
    ...sources.pipelines.map((source) => {
      const { pipeline, problems: found } = compilePipeline(source, environment);
      problems.push(...found);
      return pipeline;
    }),
    ...sources.workflows.map((definition) => {
      const { workflow, problems: found } = compileWorkflow(definition);
      problems.push(...found);
      return workflow;
    }),
  ].filter((definition) => definition !== undefined);
  const definitions = unique<Definition>(compiled, 'definition', problems);
  const wrong = problems.some((problem) => problem.severity !== 'warning');
  return wrong ? { problems } : { registry: { definitions, operations }, problems };
}

function registerOperations(
  operations: readonly Operation[],
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
    return wrong === undefined;
  });
  return unique(named, 'operation', problems);
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
      const first =
        other.site === undefined
          ? 'the product itself'
          : `${other.site.file}:${String(other.site.line ?? 1)}`;
      const message = `${what} "${item.name}" is already defined by ${first}. Rename one of them.`;
      problems.push({ ...siteOf(item), definition: item.name, message });
    }
  }
  return byName;
}

function siteOf(item: { readonly site?: Site }): { readonly site?: Site } {
  return item.site === undefined ? {} : { site: item.site };
}
