import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ulid } from 'ulid';
import {
  EVALUATE_WORKFLOW,
  TRY_WORKFLOW,
  type EvalReport,
  type EvalTask,
  type TryReport,
  type TryTask,
} from '../../src/attribute-pipeline/asked-pipeline.js';
import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import { InvalidSettings } from '../../src/attribute-pipeline/catalog-errors.js';
import {
  checkedModules,
  pipelineSettingsProblems,
  type WrittenModule,
} from '../../src/attribute-pipeline/checked-pipeline.js';
import type {
  Author,
  EntityCatalog,
  ValuePlace,
} from '../../src/attribute-pipeline/entity-catalog.js';
import type { EvalCatalog } from '../../src/attribute-pipeline/eval-catalog.js';
import type { Explanation } from '../../src/attribute-pipeline/explanation.js';
import type { ModuleRegistry } from '../../src/attribute-pipeline/modules/module-registry.js';
import type {
  PipelineCatalog,
  PipelinePlace,
} from '../../src/attribute-pipeline/pipeline-catalog.js';
import {
  UNSET_PIPELINE,
  pipelineName,
  type AttributePipeline,
  type PipelineInput,
  type PipelineSettings,
} from '../../src/attribute-pipeline/pipeline.js';
import type { RunCatalog, RunQuote } from '../../src/attribute-pipeline/run-catalog.js';
import type { AttributeRun, RunTask, WaitsFor } from '../../src/attribute-pipeline/run.js';
import type { Sandbox } from '../../src/attribute-pipeline/sandbox.js';
import type { Log } from '../../src/pipeline/context.js';
import { requestTemporal } from '../temporal-request.js';
import { runFailed } from '../run-result.js';
import { PipelineNameTaken } from './attribute-errors.js';
import { AttributeRefresh } from './attribute-refresh.js';
import {
  AttributeRunStarter,
  type AttributeRunOptions,
  type StartedAttributeRun,
} from './attribute-run-starter.js';
import type { AttributeSchedules } from './attribute-schedules.js';
import { explainedValue } from './explained-value.js';
import { freshEntities } from './fresh-entities.js';

/** What {@link Attributes} needs. */
export interface AttributesOptions {
  readonly catalog: AttributeCatalogs;
  readonly client: Client;
  readonly taskQueue: string;
  /** The modules of the deployed code, as it is now. */
  readonly modules: () => ModuleRegistry;
  /** Names of the models of config.yml. */
  readonly models: () => readonly string[];
  /** True for the name of a definition of the deployed code. */
  readonly isDefinition: (name: string) => boolean;
  readonly sandbox: () => Promise<Sandbox>;
  /** Keeps the schedules; absent where nothing is to be started by time. */
  readonly schedules?: AttributeSchedules;
  readonly log: Pick<Log, 'warn'>;
}

/** A pipeline as somebody writes it: settings that are not given have their defaults. */
export interface WrittenPipeline extends Partial<PipelineSettings> {
  readonly modules: readonly WrittenModule[];
}

/** Entities, their attributes, and the pipelines that compute them. */
export class Attributes {
  /** Entity types, attributes, entities and their values. What is changed here has the pipelines that read it run. */
  readonly entities: EntityCatalog;
  /** Has several pipelines run in their order. */
  readonly refresh: AttributeRefresh;
  readonly #runs: AttributeRunStarter;

  constructor(private readonly options: AttributesOptions) {
    this.#runs = new AttributeRunStarter(options);
    this.refresh = new AttributeRefresh(options);
    this.entities = freshEntities(options.catalog.entities, (entityType) =>
      this.runWhatHasChanged(entityType),
    );
  }

  /**
   * Has the pipelines run that read what has changed of an entity type. What was saved is saved: a reconciliation looks at it when this
   * does not come to anything.
   */
  async runWhatHasChanged(entityType: string): Promise<void> {
    try {
      const due = await this.options.catalog.attributeRuns.due(entityType);
      if (due.length > 0) await this.refresh.changed(entityType);
    } catch (error) {
      this.options.log.warn(
        { err: error, entity_type: entityType },
        'pipelines that read what was changed could not be started; the next reconciliation starts them',
      );
    }
  }

  /** The id of an entity that is named by it, or by type and key: `airport.DEN`. @throws {@link NotFound} */
  async entityId(name: string): Promise<string> {
    const [id = name] = await this.options.catalog.entities.entityIds([name]);
    return id;
  }

  /** The runs that the catalog knows. */
  get runs(): Pick<RunCatalog, 'run' | 'runs' | 'failures' | 'active' | 'costs'> {
    return this.options.catalog.attributeRuns;
  }

  /** The modules that pipelines may be made of. */
  get modules(): ModuleRegistry {
    return this.options.modules();
  }

  /** Pipelines that are there. To change them, use the methods here: they check modules. */
  get pipelines(): Pick<PipelineCatalog, 'pipeline' | 'pipelines' | 'removePipeline'> {
    return this.options.catalog.attributePipelines;
  }

  /**
   * Adds the pipeline of an attribute.
   *
   * @throws {@link InvalidSettings} with all that is wrong, {@link PipelineNameTaken}, and what {@link PipelineCatalog.addPipeline} throws
   */
  async addPipeline(
    place: PipelinePlace,
    written: WrittenPipeline,
    by: Author,
  ): Promise<AttributePipeline> {
    const input = await this.#inputOf(place, written);
    const { catalog, schedules } = this.options;
    const added = await catalog.attributePipelines.addPipeline(place, input, by);
    await schedules?.keep();
    return added;
  }

  /**
   * Changes what is given. A run that waits for a budget looks again.
   *
   * @throws as {@link addPipeline}, and {@link EditConflict}
   */
  async changePipeline(
    place: PipelinePlace,
    { modules, ...settings }: Partial<WrittenPipeline>,
    lockVersion: number,
    by: Author,
  ): Promise<AttributePipeline> {
    const { attributePipelines, attributeRuns } = this.options.catalog;
    checkSettings(place, settings);
    const checked = modules === undefined ? {} : await this.#modulesOf(place, modules);
    const changed = await attributePipelines.changePipeline(
      place,
      { ...settings, ...checked },
      lockVersion,
      by,
    );
    if (settings.runBudget !== undefined || settings.dayBudget !== undefined) {
      const active = await attributeRuns.active(place);
      if (active !== undefined) await this.#runs.tellBudget(active);
    }
    if (settings.automatic === true) await this.runWhatHasChanged(place.entityType);
    return changed;
  }

  /**
   * Checks a pipeline without saving it: one that would be added, or would take the place of the one that is there.
   *
   * @returns the attributes that it would read
   * @throws as {@link addPipeline}
   */
  async checkPipeline(
    place: PipelinePlace,
    written: WrittenPipeline,
    by: Author,
  ): Promise<{ readonly inputs: readonly string[] }> {
    const input = await this.#inputOf(place, written);
    await this.options.catalog.attributePipelines.checkPipeline(place, input, by);
    return { inputs: input.inputs };
  }

  /**
   * Modules as they would be kept: with the defaults of their settings.
   *
   * @throws as {@link addPipeline}
   */
  async checkedModules(
    place: PipelinePlace,
    modules: readonly WrittenModule[],
  ): Promise<readonly WrittenModule[]> {
    return (await this.#modulesOf(place, modules)).modules;
  }

  /** What a run would look at, and what it would cost. @throws {@link NotFound}, {@link InvalidFilter} */
  async quote(place: PipelinePlace, task: Partial<RunTask> = {}): Promise<RunQuote> {
    return this.options.catalog.attributeRuns.quote(place, { force: false, ...task });
  }

  /** @throws {@link InvalidSettings}, {@link PipelineNameTaken} */
  async #inputOf(place: PipelinePlace, written: WrittenPipeline): Promise<PipelineInput> {
    const name = pipelineName(place);
    if (this.options.isDefinition(name)) throw new PipelineNameTaken(name);
    checkSettings(place, written);
    return { ...UNSET_PIPELINE, ...written, ...(await this.#modulesOf(place, written.modules)) };
  }

  async #modulesOf(
    place: PipelinePlace,
    written: readonly WrittenModule[],
  ): Promise<Pick<PipelineInput, 'modules' | 'inputs' | 'readsElsewhere'>> {
    return checkedModules(pipelineName(place), written, this.options.modules(), {
      sandbox: await this.options.sandbox(),
      models: this.options.models(),
    });
  }

  /**
   * Starts a run.
   *
   * @throws {@link NotFound}, {@link InvalidFilter}, {@link InvalidSettings} for a task that cannot be, {@link AttributeRunActive}
   *   unless it may wait, {@link TemporalUnavailable}
   */
  async run(place: PipelinePlace, options: AttributeRunOptions = {}): Promise<StartedAttributeRun> {
    return this.#runs.start(place, options);
  }

  /** Where a value comes from, and whether it is as it would be computed now. @throws {@link NotFound} */
  async explain(place: ValuePlace): Promise<Explanation> {
    return explainedValue(this.options.catalog, place);
  }

  /** What is wanted of pipelines, and how far they are from it. */
  get evals(): EvalCatalog {
    return this.options.catalog.attributeEvals;
  }

  /** Runs the evals of a pipeline: all, or those whose inputs have changed. @throws {@link NotFound}, {@link TemporalUnavailable} */
  async runEvals(
    { entityType, attribute }: PipelinePlace,
    { all = true, principal }: { readonly all?: boolean; readonly principal?: string } = {},
  ): Promise<WorkflowHandle<() => Promise<EvalReport>>> {
    const { catalog, client, taskQueue } = this.options;
    await catalog.attributePipelines.pipeline({ entityType, attribute });
    const task: EvalTask = { entityType, attribute, all, since: new Date().toISOString() };
    const workflowId = `millrace/evals/${entityType}.${attribute}/${ulid()}`;
    return requestTemporal(client, () =>
      client.workflow.start(EVALUATE_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [task],
        workflowExecutionTimeout: '4h',
        ...(principal !== undefined && { memo: { principal } }),
      }),
    );
  }

  /**
   * Takes an entity through modules, on a worker, and saves nothing.
   *
   * @throws as {@link addPipeline}, and {@link RunFailed}
   */
  async tryModules(
    place: PipelinePlace,
    written: readonly WrittenModule[],
    entityId: string,
  ): Promise<TryReport> {
    const { catalog, client, taskQueue } = this.options;
    const attribute = await catalog.entities.attribute(place.entityType, place.attribute);
    const { modules, inputs } = await this.#modulesOf(place, written);
    const task: TryTask = {
      entityId,
      plan: {
        ...place,
        pipelineId: '',
        attributeId: attribute.id,
        version: 0,
        onError: 'abort',
        inputs,
        modules,
      },
    };
    const workflowId = `millrace/try/${pipelineName(place)}/${ulid()}`;
    try {
      const report: unknown = await client.workflow.execute(TRY_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [task],
        workflowExecutionTimeout: '6m',
      });
      // The workflow's type says what it returns.
      return report as TryReport;
    } catch (error) {
      if (error instanceof WorkflowFailedError) throw runFailed(workflowId, error);
      throw error;
    }
  }

  /**
   * Asks a run to end. What it is doing is aborted, so that it ends a little later.
   *
   * @throws {@link NotFound}, {@link AttributeRunOver}
   */
  async cancelRun(id: string, principal?: string): Promise<AttributeRun> {
    return this.#runs.cancel(id, principal);
  }

  /** What a run waits for; null for one that goes on, or is over. */
  async waitsFor(run: AttributeRun): Promise<WaitsFor | null> {
    const { attributeRuns } = this.options.catalog;
    if (run.status === 'waiting') {
      const active = await attributeRuns.active(run);
      return active === undefined ? null : { kind: 'run', reason: `Run ${active.id} goes on.` };
    }
    if (run.status !== 'running') return null;
    const { left } = await attributeRuns.spending(run.id, new Date());
    if (left === undefined || left.rest > 0) return null;
    const { kind, budget, spent } = left.budget;
    const reason = `The budget of the ${kind}, ${String(budget)}, is used up (${spent.toFixed(4)}). Raise ${kind}_budget, or cancel the run.`;
    return { kind: `${kind}_budget`, reason };
  }
}

/** @throws {@link InvalidSettings} */
function checkSettings(place: PipelinePlace, written: Partial<PipelineSettings>): void {
  const problems = pipelineSettingsProblems({ ...UNSET_PIPELINE, ...written });
  if (problems.length > 0) throw new InvalidSettings(pipelineName(place), problems);
}
