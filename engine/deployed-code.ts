import type { OperationFailure, ModelReference } from '../src/pipeline/context.js';
import { predicateKey } from '../src/pipeline/compile.js';
import type { Operation } from '../src/pipeline/operation.js';
import type { ModuleRegistry } from '../src/attribute-pipeline/modules/module-registry.js';
import type { CompiledDataFlow } from '../src/data-flow/compile.js';
import type { CompiledRecordPipeline } from '../src/record-pipeline/compile.js';
import type { Activity } from '../src/definition/activity.js';
import type { StepHandler } from '../src/task/handler.js';
import type { Definition, Registry } from './registry.js';

/** The definitions that a process has right now. `replace` is what a reload does; nothing that runs is disturbed. */
export class DeployedCode {
  #registry: Registry;
  #models: ReadonlyMap<string, ModelReference>;

  constructor(registry: Registry, models: ReadonlyMap<string, ModelReference> = new Map()) {
    this.#registry = registry;
    this.#models = models;
  }

  get registry(): Registry {
    return this.#registry;
  }

  replace(registry: Registry, models: ReadonlyMap<string, ModelReference>): void {
    this.#registry = registry;
    this.#models = models;
  }

  operation(type: string): Operation | undefined {
    return this.#registry.operations.get(type);
  }

  activity(name: string): Activity | undefined {
    return this.#registry.activities.get(name);
  }

  dataFlow(name: string): CompiledDataFlow | undefined {
    return this.#registry.dataFlows.get(name);
  }

  recordPipeline(name: string): CompiledRecordPipeline | undefined {
    return this.#registry.recordPipelines.get(name);
  }

  stepHandler(name: string): StepHandler | undefined {
    return this.#registry.stepHandlers.get(name);
  }

  get definitions(): ReadonlyMap<string, Definition> {
    return this.#registry.definitions;
  }

  predicate(
    pipeline: string,
    stage: string,
    operation: string,
  ): ((failure: OperationFailure) => boolean) | undefined {
    const definition = this.#registry.definitions.get(pipeline);
    return definition?.kind === 'pipeline'
      ? definition.predicates.get(predicateKey(stage, operation))
      : undefined;
  }

  get modules(): ModuleRegistry {
    return this.#registry.modules;
  }

  get modelNames(): readonly string[] {
    return [...this.#models.keys()];
  }

  model(name: string): ModelReference | undefined {
    return this.#models.get(name);
  }
}
