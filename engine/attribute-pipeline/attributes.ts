import type { AttributeCatalogs } from '../../src/attribute-pipeline/attribute-catalogs.js';
import type { EvalCatalog } from '../../src/attribute-pipeline/eval-catalog.js';
import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  EVALUATE_WORKFLOW,
  TRY_WORKFLOW,
  type EvalReport,
  type EvalTask,
  type TryReport,
  type TryTask,
} from '../../src/attribute-pipeline/asked-pipeline.js';
import { ulid } from 'ulid';
import {
  checkedModules,
  pipelineSettingsProblems,
  type WrittenModule,
} from '../../src/attribute-pipeline/checked-pipeline.js';
import { InvalidSettings, NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import { staleReasons, type Explanation } from '../../src/attribute-pipeline/explanation.js';
import { NO_VALUE } from '../../src/attribute-pipeline/value.js';
import type {
  Author,
  EntityCatalog,
  ValuePlace,
} from '../../src/attribute-pipeline/entity-catalog.js';
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
import {
  ATTRIBUTE_RUN_TIMEOUT_MS,
  attributeArguments,
  BUDGET_CHANGED_SIGNAL,
  type AttributeResult,
} from '../../src/attribute-pipeline/plan.js';
import type { RunCatalog, RunQuote } from '../../src/attribute-pipeline/run-catalog.js';
import {
  ENDED_OUTSIDE,
  type AttributeRun,
  type RunTask,
  type RunTrigger,
} from '../../src/attribute-pipeline/run.js';
import { checkTask } from '../../src/attribute-pipeline/run-task.js';
import type { Sandbox } from '../../src/attribute-pipeline/sandbox.js';
import type { Log } from '../../src/pipeline/context.js';
import { TIMEOUT_MARGIN_MS } from '../../src/definition/run-timeout.js';
import { formatRunId } from '../run-id.js';
import { isWorkflowRunning } from '../running-workflow.js';
import { requestTemporal } from '../temporal-request.js';
import { AttributeRefresh } from './attribute-refresh.js';
import type { AttributeSchedules } from './attribute-schedules.js';
import { freshEntities } from './fresh-entities.js';
import { AttributeRunActive, AttributeRunOver, PipelineNameTaken } from './attribute-errors.js';

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

/** How a run is started. */
export interface AttributeRunOptions extends Partial<RunTask> {
  /** Waits for the end of another run of the pipeline, instead of being refused. */
  readonly queue?: boolean;
  /** Who starts it: recorded with the run. */
  readonly principal?: string;
  /** `manual` unless given. */
  readonly trigger?: RunTrigger;
  readonly reference?: string;
}

/** A run of an attribute pipeline that was started. */
export interface StartedAttributeRun {
  readonly run: AttributeRun;
  /** Resolves with what the run has come to, or rejects with Temporal's `WorkflowFailedError`. */
  readonly handle: WorkflowHandle<() => Promise<AttributeResult>>;
}

/** Entities, their attributes, and the pipelines that compute them. */
export class Attributes {
  /** Entity types, attributes, entities and their values. What is changed here has the pipelines that read it run. */
  readonly entities: EntityCatalog;
  /** Has several pipelines run in their order. */
  readonly refresh: AttributeRefresh;

  constructor(private readonly options: AttributesOptions) {
    this.refresh = new AttributeRefresh(options);
    this.entities = freshEntities(options.catalog.entities, (entityType) =>
      this.#changed(entityType),
    );
  }

  /** What was saved is saved: a reconciliation looks at it when this does not come to anything. */
  async #changed(entityType: string): Promise<void> {
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
    const checked = await this.#checked(place, { ...settings, ...(modules && { modules }) });
    const changed = await attributePipelines.changePipeline(
      place,
      { ...settings, ...checked },
      lockVersion,
      by,
    );
    if (settings.runBudget !== undefined || settings.dayBudget !== undefined) {
      const active = await attributeRuns.active(place);
      if (active !== undefined) await this.#tellBudget(active);
    }
    if (settings.automatic === true) await this.#changed(place.entityType);
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
    return (await this.#checked(place, { modules })).modules ?? [];
  }

  /** What a run would look at, and what it would cost. @throws {@link NotFound}, {@link InvalidFilter} */
  async quote(place: PipelinePlace, task: Partial<RunTask> = {}): Promise<RunQuote> {
    return this.options.catalog.attributeRuns.quote(place, { force: false, ...task });
  }

  /** @throws {@link InvalidSettings}, {@link PipelineNameTaken} */
  async #inputOf(place: PipelinePlace, written: WrittenPipeline): Promise<PipelineInput> {
    const name = pipelineName(place);
    if (this.options.isDefinition(name)) throw new PipelineNameTaken(name);
    const nothing = { inputs: [], readsElsewhere: false };
    return { ...UNSET_PIPELINE, ...written, ...nothing, ...(await this.#checked(place, written)) };
  }

  async #checked(
    place: PipelinePlace,
    written: Partial<WrittenPipeline>,
  ): Promise<Partial<Pick<PipelineInput, 'modules' | 'inputs' | 'readsElsewhere'>>> {
    const name = pipelineName(place);
    const problems = pipelineSettingsProblems({ ...UNSET_PIPELINE, ...written });
    if (problems.length > 0) throw new InvalidSettings(name, problems);
    if (written.modules === undefined) return {};
    return checkedModules(name, written.modules, this.options.modules(), {
      sandbox: await this.options.sandbox(),
      models: this.options.models(),
    });
  }

  /** A run that is over needs no telling. */
  async #tellBudget({ workflowId }: AttributeRun): Promise<void> {
    const { client } = this.options;
    if ((await isWorkflowRunning(client, workflowId)) !== true) return;
    await requestTemporal(client, () =>
      client.workflow.getHandle(workflowId).signal(BUDGET_CHANGED_SIGNAL),
    );
  }

  /**
   * Starts a run.
   *
   * @throws {@link NotFound}, {@link InvalidFilter}, {@link InvalidSettings} for a task that cannot be, {@link AttributeRunActive}
   *   unless it may wait, {@link TemporalUnavailable}
   */
  async run(
    place: PipelinePlace,
    { queue, principal, trigger = 'manual', reference, ...task }: AttributeRunOptions = {},
  ): Promise<StartedAttributeRun> {
    const { attributeRuns: runs } = this.options.catalog;
    const name = pipelineName(place);
    checkTask(name, task);
    if (queue !== true) await this.#refuseIfActive(place);
    const id = ulid();
    const run = await runs.request({
      id,
      workflowId: formatRunId({ kind: 'attribute_pipeline', name, executionId: id }),
      place,
      trigger,
      task: { force: false, ...task },
      ...(reference !== undefined && { reference }),
      ...(principal !== undefined && { principal }),
      now: new Date(),
    });
    try {
      return { run, handle: await this.#start(run, queue === true) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      await runs.end(id, 'aborted', `It could not be started: ${message}`, new Date());
      throw error;
    }
  }

  async #start(run: AttributeRun, queue: boolean): Promise<StartedAttributeRun['handle']> {
    const { client, taskQueue } = this.options;
    const { id, workflowId, principal } = run;
    await requestTemporal(client, () =>
      client.workflow.start(pipelineName(run), {
        workflowId,
        taskQueue,
        args: [attributeArguments(id, run, queue)],
        workflowExecutionTimeout: ATTRIBUTE_RUN_TIMEOUT_MS + TIMEOUT_MARGIN_MS,
        ...(principal !== null && { memo: { principal } }),
      }),
    );
    return client.workflow.getHandle(workflowId);
  }

  async #refuseIfActive(place: PipelinePlace): Promise<void> {
    const active = await this.options.catalog.attributeRuns.active(place);
    if (active === undefined) return;
    // One that was ended from outside is closed by the run that comes after it.
    if ((await isWorkflowRunning(this.options.client, active.workflowId)) === true)
      throw new AttributeRunActive(active);
  }

  /** Where a value comes from, and whether it is as it would be computed now. @throws {@link NotFound} */
  async explain({ entityId, attribute: name }: ValuePlace): Promise<Explanation> {
    const { entities, attributePipelines, attributeRuns, attributeEvals } = this.options.catalog;
    const { entityType, values } = await entities.entity(entityId);
    const attribute = await entities.attribute(entityType, name);
    const value = values[name] ?? NO_VALUE;
    if (attribute.pipelineId === null)
      return { value, pipeline: null, run: null, inputs: [], eval: null, staleReasons: [] };
    const pipeline = await attributePipelines.pipeline({ entityType, attribute: name });
    const inputs = pipeline.inputs.map((input) => ({
      attribute: input,
      usedVersion: value.inputs?.[input] ?? null,
      value: values[input] ?? NO_VALUE,
    }));
    const pending = await attributeRuns.pendingChange(pipeline.id, entityId);
    return {
      value,
      pipeline,
      run: value.runId === null ? null : await this.#runOrNone(value.runId),
      inputs,
      eval: await attributeEvals.evalFor(pipeline.id, entityId),
      staleReasons: staleReasons(value, pipeline, inputs, pending),
    };
  }

  /** Runs are removed together with their pipelines; values stay. */
  async #runOrNone(id: string): Promise<AttributeRun | null> {
    try {
      return await this.options.catalog.attributeRuns.run(id);
    } catch (error) {
      if (error instanceof NotFound) return null;
      throw error;
    }
  }

  /** What is wanted of pipelines, and how far they are from it. */
  get evals(): EvalCatalog {
    return this.options.catalog.attributeEvals;
  }

  /** Runs the evals of a pipeline: all, or those whose inputs have changed. @throws {@link NotFound}, {@link TemporalUnavailable} */
  async runEvals(
    { entityType, attribute }: PipelinePlace,
    { all = true }: { readonly all?: boolean } = {},
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
      }),
    );
  }

  /**
   * Takes an entity through modules, on a worker, and saves nothing.
   *
   * @throws as {@link addPipeline}, and Temporal's `WorkflowFailedError`
   */
  async tryModules(
    place: PipelinePlace,
    modules: readonly WrittenModule[],
    entityId: string,
  ): Promise<TryReport> {
    const { catalog, client, taskQueue } = this.options;
    const attribute = await catalog.entities.attribute(place.entityType, place.attribute);
    const { readsElsewhere: _, ...checked } = await this.#checked(place, { modules });
    const task: TryTask = {
      entityId,
      plan: {
        ...place,
        pipelineId: '',
        attributeId: attribute.id,
        version: 0,
        onError: 'abort',
        inputs: [],
        modules: [],
        ...checked,
      },
    };
    const workflowId = `millrace/try/${pipelineName(place)}/${ulid()}`;
    const report: unknown = await client.workflow.execute(TRY_WORKFLOW, {
      workflowId,
      taskQueue,
      args: [task],
      workflowExecutionTimeout: '6m',
    });
    // The workflow's type says what it returns.
    return report as TryReport;
  }

  /**
   * Asks a run to end. What it is doing is aborted, so that it ends a little later.
   *
   * @throws {@link NotFound}, {@link AttributeRunOver}
   */
  async cancelRun(id: string): Promise<AttributeRun> {
    const { catalog, client } = this.options;
    const run = await catalog.attributeRuns.run(id);
    if (run.completedAt !== null) throw new AttributeRunOver(id, run.status);
    if ((await isWorkflowRunning(client, run.workflowId)) === true) {
      await requestTemporal(client, () => client.workflow.getHandle(run.workflowId).cancel());
      return run;
    }
    // It was ended from outside, and could not say so.
    return catalog.attributeRuns.end(id, 'aborted', ENDED_OUTSIDE, new Date());
  }
}
