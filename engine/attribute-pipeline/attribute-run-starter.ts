import type { Client, WorkflowHandle } from '@temporalio/client';
import { ulid } from 'ulid';
import type { PipelinePlace } from '../../src/attribute-pipeline/pipeline-catalog.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import {
  ATTRIBUTE_RUN_TIMEOUT_MS,
  attributeArguments,
  BUDGET_CHANGED_SIGNAL,
  type AttributeResult,
} from '../../src/attribute-pipeline/plan.js';
import type { RunCatalog } from '../../src/attribute-pipeline/run-catalog.js';
import {
  ENDED_OUTSIDE,
  type AttributeRun,
  type RunTask,
  type RunTrigger,
} from '../../src/attribute-pipeline/run.js';
import { checkTask } from '../../src/attribute-pipeline/run-task.js';
import { TIMEOUT_MARGIN_MS } from '../../src/definition/run-timeout.js';
import { formatRunId } from '../run-id.js';
import { isWorkflowRunning } from '../running-workflow.js';
import { requestTemporal } from '../temporal-request.js';
import { AttributeRunActive, AttributeRunOver } from './attribute-errors.js';

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

/** What {@link AttributeRunStarter} needs. */
export interface AttributeRunStarterOptions {
  readonly catalog: { readonly attributeRuns: RunCatalog };
  readonly client: Client;
  readonly taskQueue: string;
}

/** Starts runs of attribute pipelines, and tells them what they have to know while they go on. */
export class AttributeRunStarter {
  constructor(private readonly options: AttributeRunStarterOptions) {}

  /**
   * Starts a run.
   *
   * @throws {@link NotFound}, {@link InvalidFilter}, {@link InvalidSettings} for a task that cannot be, {@link AttributeRunActive}
   *   unless it may wait, {@link TemporalUnavailable}
   */
  async start(
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

  /**
   * Asks a run to end. What it is doing is aborted, so that it ends a little later.
   *
   * @throws {@link NotFound}, {@link AttributeRunOver}
   */
  async cancel(id: string, principal?: string): Promise<AttributeRun> {
    const { catalog, client } = this.options;
    const run = await catalog.attributeRuns.run(id);
    if (run.completedAt !== null) throw new AttributeRunOver(id, run.status);
    if ((await isWorkflowRunning(client, run.workflowId)) === true) {
      if (principal !== undefined) await catalog.attributeRuns.noteCancelled(id, principal);
      await requestTemporal(client, () => client.workflow.getHandle(run.workflowId).cancel());
      return catalog.attributeRuns.run(id);
    }
    // It was ended from outside, and could not say so.
    return catalog.attributeRuns.end(id, 'aborted', ENDED_OUTSIDE, new Date());
  }

  /** Has a run look at its budget again. One that is over needs no telling. */
  async tellBudget({ workflowId }: AttributeRun): Promise<void> {
    const { client } = this.options;
    if ((await isWorkflowRunning(client, workflowId)) !== true) return;
    await requestTemporal(client, () =>
      client.workflow.getHandle(workflowId).signal(BUDGET_CHANGED_SIGNAL),
    );
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
}
