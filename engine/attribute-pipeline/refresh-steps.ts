import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import { readHistoryPage, type HistoryPage } from '../history/read-history.js';
import { requestTemporal } from '../temporal-request.js';
import {
  PLAN_REFRESH_ACTIVITY,
  REQUEST_ATTRIBUTES_ACTIVITY,
  type RefreshRequest,
  type RefreshRun,
  type RefreshTask,
} from '../../src/attribute-pipeline/refresh.js';
import type { ExecutionStatus } from '../../src/progress/status.js';

type TemporalEvent = temporal.api.history.v1.IHistoryEvent;

/** What the workflow that runs several pipelines has done. */
export type RefreshStep =
  | { readonly kind: 'asked'; readonly task: RefreshTask }
  | { readonly kind: 'planned'; readonly runs: readonly RefreshRun[] }
  | { readonly kind: 'begun'; readonly workflowId: string }
  | { readonly kind: 'ended'; readonly workflowId: string; readonly status: ExecutionStatus }
  /** The catalog has not taken the run: there is none. */
  | { readonly kind: 'refused'; readonly workflowId: string; readonly message: string };

/** What Temporal calls the end of a run. */
const ENDS = {
  childWorkflowExecutionCompletedEventAttributes: 'completed',
  childWorkflowExecutionFailedEventAttributes: 'failed',
  childWorkflowExecutionCanceledEventAttributes: 'cancelled',
  childWorkflowExecutionTimedOutEventAttributes: 'timed_out',
  childWorkflowExecutionTerminatedEventAttributes: 'terminated',
} as const satisfies Partial<Record<keyof TemporalEvent, ExecutionStatus>>;

/** Wait after an error of the server, doubled with each that follows, up to the longest. */
const RETRY_MS = { first: 250, longest: 10_000 } as const;

/** Most errors of the server in a row. */
const MAX_ERRORS = 10;

/** The steps of such a workflow, past ones first, until it is over or the signal is aborted. @throws what Temporal's client throws */
export async function* refreshSteps(
  client: Client,
  workflowId: string,
  signal: AbortSignal,
): AsyncGenerator<RefreshStep> {
  const { runId } = await requestTemporal(client, () =>
    client.workflow.getHandle(workflowId).describe(),
  );
  const history = new RefreshHistory(client.options.loadedDataConverter);
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await readPersistently(client, { workflowId, runId, nextPageToken, signal });
    if (page === undefined) return;
    for (const event of page.events) {
      const step = await history.step(event);
      if (step !== undefined) yield step;
    }
    ({ nextPageToken } = page);
    // Whoever waits for events gets no token when there are no more to come.
  } while (nextPageToken.length > 0);
}

/**
 * The steps that such a workflow has taken so far.
 *
 * @param runId - Temporal's own id of the execution
 * @throws what Temporal's client throws
 */
export async function pastRefreshSteps(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<readonly RefreshStep[]> {
  const history = new RefreshHistory(client.options.loadedDataConverter);
  const steps: RefreshStep[] = [];
  for (let nextPageToken: Uint8Array | undefined; ;) {
    const place = { workflowId, runId, wait: false, ...(nextPageToken && { nextPageToken }) };
    const page = await requestTemporal(client, () => readHistoryPage(client, place));
    for (const event of page.events) {
      const step = await history.step(event);
      if (step !== undefined) steps.push(step);
    }
    ({ nextPageToken } = page);
    if (nextPageToken.length === 0) return steps;
  }
}

interface Place {
  readonly workflowId: string;
  readonly runId: string;
  readonly nextPageToken: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/** Undefined when the signal was aborted. */
async function readPersistently(
  client: Client,
  { nextPageToken, signal, ...place }: Place,
): Promise<HistoryPage | undefined> {
  for (let errors = 0; !signal.aborted;) {
    try {
      return await readHistoryPage(client, {
        ...place,
        wait: true,
        signal,
        ...(nextPageToken !== undefined && { nextPageToken }),
      });
    } catch (error) {
      errors += 1;
      if (errors > MAX_ERRORS) throw error;
      const waitMs = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** errors);
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/** Reads events in their order, and keeps what later ones refer to. */
class RefreshHistory {
  /** Of activities that plan. */
  readonly #plans = new Set<number>();
  /** Workflow ids of the runs that activities put into the catalog. */
  readonly #requests = new Map<number, string>();

  constructor(private readonly converter: LoadedDataConverter) {}

  async step(event: TemporalEvent): Promise<RefreshStep | undefined> {
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      const [task] = await decodeArrayFromPayloads(this.converter, started.input?.payloads);
      // The workflow's type says what it takes.
      return { kind: 'asked', task: task as RefreshTask };
    }
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      await this.#scheduled(Number(event.eventId), scheduled);
      return undefined;
    }
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) {
      if (!this.#plans.has(Number(completed.scheduledEventId))) return undefined;
      const [runs] = await decodeArrayFromPayloads(this.converter, completed.result?.payloads);
      // The activity's type says what it returns.
      return { kind: 'planned', runs: runs as readonly RefreshRun[] };
    }
    const failed =
      event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (failed) {
      const workflowId = this.#requests.get(Number(failed.scheduledEventId));
      if (workflowId === undefined) return undefined;
      const error = await decodeOptionalFailureToOptionalError(this.converter, failed.failure);
      return { kind: 'refused', workflowId, message: error?.message ?? '' };
    }
    return childStep(event);
  }

  async #scheduled(
    eventId: number,
    { activityType, input }: temporal.api.history.v1.IActivityTaskScheduledEventAttributes,
  ): Promise<void> {
    if (activityType?.name === PLAN_REFRESH_ACTIVITY) this.#plans.add(eventId);
    if (activityType?.name !== REQUEST_ATTRIBUTES_ACTIVITY) return;
    const [request] = await decodeArrayFromPayloads(this.converter, input?.payloads);
    // The activity's type says what it takes.
    this.#requests.set(eventId, (request as RefreshRequest).run.workflowId);
  }
}

/** What has become of a run that the workflow waits for. */
function childStep(event: TemporalEvent): RefreshStep | undefined {
  const begun = event.childWorkflowExecutionStartedEventAttributes;
  if (begun) return { kind: 'begun', workflowId: begun.workflowExecution?.workflowId ?? '' };
  for (const [attributes, status] of Object.entries(ENDS)) {
    // The keys are those of the table.
    const ended = event[attributes as keyof typeof ENDS];
    if (ended)
      return { kind: 'ended', workflowId: ended.workflowExecution?.workflowId ?? '', status };
  }
  return undefined;
}
