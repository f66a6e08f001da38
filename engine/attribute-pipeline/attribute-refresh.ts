import type { Client } from '@temporalio/client';
import { monotonicFactory, ulid } from 'ulid';
import type {
  PipelineCatalog,
  PipelinePlace,
} from '../../src/attribute-pipeline/pipeline-catalog.js';
import { pipelineName, type AttributePipeline } from '../../src/attribute-pipeline/pipeline.js';
import {
  ATTRIBUTES_CHANGED_SIGNAL,
  readyPipelines,
  refreshOrder,
  REFRESH_WORKFLOW,
  type RefreshQuestion,
  type RefreshRequest,
  type RefreshRun,
  type RefreshTask,
} from '../../src/attribute-pipeline/refresh.js';
import type { RunCatalog } from '../../src/attribute-pipeline/run-catalog.js';
import { checkTask } from '../../src/attribute-pipeline/run-task.js';
import { ENDED_OUTSIDE } from '../../src/attribute-pipeline/run.js';
import { isClosed } from '../../src/progress/status.js';
import { formatRunId } from '../run-id.js';
import { isWorkflowRunning } from '../running-workflow.js';
import { requestTemporal } from '../temporal-request.js';
import { AttributeRunOver } from './attribute-errors.js';
import { refreshExecution, type RefreshExecution } from './refresh-execution.js';

/** A run whose workflow Temporal does not know is left to whoever has asked for it for so long. */
const START_GRACE_MS = 60_000;

/** Most runs that one reconciliation looks at. */
const MOST_RUNS = 500;

/** Most pipelines that are read at once. */
const PAGE = 200;

/** What {@link AttributeRefresh} needs. */
export interface AttributeRefreshOptions {
  readonly catalog: {
    readonly attributePipelines: PipelineCatalog;
    readonly attributeRuns: RunCatalog;
  };
  readonly client: Client;
  readonly taskQueue: string;
}

/** Several runs that begin. */
export interface StartedRefresh {
  /** A ULID. */
  readonly id: string;
  readonly workflowId: string;
}

/** Has pipelines run in the order in which they depend on each other. */
export class AttributeRefresh {
  constructor(private readonly options: AttributeRefreshOptions) {}

  /**
   * Has what has changed of an entity type be computed, and on through what depends on it. One refresh of a type goes on at a time:
   * it is told to look again.
   *
   * @throws {@link TemporalUnavailable}; a reconciliation looks at it then
   */
  async changed(entityType: string): Promise<void> {
    const { client, taskQueue } = this.options;
    await requestTemporal(client, () =>
      client.workflow.signalWithStart(REFRESH_WORKFLOW, {
        workflowId: this.#workflowId(entityType),
        taskQueue,
        args: [{ kind: 'changed', entityType } satisfies RefreshTask],
        signal: ATTRIBUTES_CHANGED_SIGNAL,
        signalArgs: [],
      }),
    );
  }

  /**
   * Runs several pipelines, each after those that it reads from.
   *
   * @throws {@link NotFound}, and what a run of one of them is refused with
   */
  async all(task: Extract<RefreshTask, { readonly kind: 'all' }>): Promise<StartedRefresh> {
    const { client, taskQueue } = this.options;
    const { attributeRuns, attributePipelines } = this.options.catalog;
    for (const place of task.pipelines ?? []) await attributePipelines.pipeline(place);
    checkTask('several pipelines', task.task);
    // Refused here, and not when the runs are to begin.
    if (task.task.filter !== undefined)
      for (const place of await this.#wanted(task)) await attributeRuns.quote(place, task.task);
    const id = ulid();
    const workflowId = this.#workflowId(id);
    await requestTemporal(client, () =>
      client.workflow.start(REFRESH_WORKFLOW, { workflowId, taskQueue, args: [task] }),
    );
    return { id, workflowId };
  }

  /** What has become of several runs. @throws {@link NotFound}, {@link TemporalUnavailable} */
  async execution(id: string): Promise<RefreshExecution> {
    return refreshExecution(this.options.client, this.#workflowId(id), id);
  }

  /**
   * Asks several runs to end, and none of them to begin any more.
   *
   * @throws {@link NotFound}, {@link AttributeRunOver}, {@link TemporalUnavailable}
   */
  async cancel(id: string): Promise<RefreshExecution> {
    const { workflowId, status } = await this.execution(id);
    if (isClosed(status)) throw new AttributeRunOver(id, status, 'Refresh');
    const { client } = this.options;
    await requestTemporal(client, () => client.workflow.getHandle(workflowId).cancel());
    return this.execution(id);
  }

  #workflowId(id: string): string {
    return `millrace/refresh/${this.options.taskQueue}/${id}`;
  }

  /** Which runs may begin now. */
  async plan({ task, running, failed }: RefreshQuestion): Promise<readonly RefreshRun[]> {
    const { attributeRuns } = this.options.catalog;
    if (task.kind === 'changed') {
      const { entityType } = task;
      const due = (await attributeRuns.due(entityType))
        .map(pipelineName)
        .filter((name) => !failed.includes(name));
      if (due.length === 0) return [];
      const pipelines = await this.#pipelines(entityType);
      const ready = readyPipelines(pipelines, new Set(due), new Set(running));
      return ready.map((place) => refreshRun(ulid(), place, []));
    }
    const wanted = await this.#wanted(task);
    // Lists have the runs in the order in which they are to be.
    const nextId = monotonicFactory();
    const runs = refreshOrder(wanted).map(({ pipeline, after }) =>
      refreshRun(nextId(), pipeline, after),
    );
    if (task.trigger !== 'schedule') return runs;
    const names = new Set(wanted.map(pipelineName));
    const others = (await this.#pipelines(task.entityType)).filter(
      (one) => !names.has(pipelineName(one)),
    );
    return [
      ...runs,
      ...others.map((one) => ({ ...refreshRun(nextId(), one, []), evalsOnly: true })),
    ];
  }

  async #wanted({
    entityType,
    pipelines: named,
    trigger,
  }: Extract<RefreshTask, { readonly kind: 'all' }>): Promise<readonly AttributePipeline[]> {
    const all = await this.#pipelines(entityType);
    const names = named === undefined ? undefined : new Set(named.map(pipelineName));
    return all.filter((one) =>
      names === undefined ? one.automatic || trigger === 'manual' : names.has(pipelineName(one)),
    );
  }

  async request({ run, trigger, reference, principal, task }: RefreshRequest): Promise<void> {
    const { run: id, workflowId, entityType, attribute } = run;
    await this.options.catalog.attributeRuns.request({
      id,
      workflowId,
      place: { entityType, attribute },
      trigger,
      reference,
      task,
      ...(principal !== undefined && { principal }),
      now: new Date(),
    });
  }

  /** Closes runs whose workflows have gone, and has types be refreshed of which something was changed and left. */
  async reconcile(): Promise<{ readonly closed: number; readonly refreshed: number }> {
    const { attributeRuns } = this.options.catalog;
    let closed = 0;
    for (const { id, workflowId, createdAt } of await attributeRuns.unfinished(MOST_RUNS)) {
      if (Date.now() - createdAt.getTime() < START_GRACE_MS) continue;
      if ((await isWorkflowRunning(this.options.client, workflowId)) === true) continue;
      await attributeRuns.end(id, 'aborted', ENDED_OUTSIDE, new Date());
      closed += 1;
    }
    const types = new Set((await attributeRuns.due()).map(({ entityType }) => entityType));
    for (const type of types) await this.changed(type);
    return { closed, refreshed: types.size };
  }

  async #pipelines(entityType: string | undefined): Promise<readonly AttributePipeline[]> {
    const { attributePipelines } = this.options.catalog;
    const found: AttributePipeline[] = [];
    for (let after: string | undefined; ;) {
      const { items, next } = await attributePipelines.pipelines(
        { limit: PAGE, ...(after !== undefined && { after }) },
        entityType === undefined ? {} : { entityType },
      );
      found.push(...items);
      if (next === undefined) return found;
      after = next;
    }
  }
}

function refreshRun(
  run: string,
  { entityType, attribute }: PipelinePlace,
  after: readonly string[],
): RefreshRun {
  const name = pipelineName({ entityType, attribute });
  const workflowId = formatRunId({ kind: 'attribute_pipeline', name, executionId: run });
  return { entityType, attribute, run, workflowId, after };
}
