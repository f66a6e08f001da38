import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import {
  REFRESH_WORKFLOW,
  type RefreshRun,
  type RefreshTask,
} from '../../src/attribute-pipeline/refresh.js';
import { isClosed, type ExecutionStatus } from '../../src/progress/status.js';
import { statusOf } from '../execution.js';
import { requestTemporal } from '../temporal-request.js';
import { pastRefreshSteps, type RefreshStep } from './refresh-steps.js';

/** Several runs that somebody has asked for, or a schedule has started, each after those that it reads from. */
export interface RefreshExecution {
  readonly workflowId: string;
  readonly status: ExecutionStatus;
  readonly task: Extract<RefreshTask, { readonly kind: 'all' }>;
  readonly startedAt: Date;
  readonly completedAt: Date | null;
  /** In the order in which they are planned; none before that. */
  readonly runs: readonly RefreshedRun[];
}

/** A run of several. */
export interface RefreshedRun {
  /** Of the pipeline: `product.area`. */
  readonly name: string;
  /** Its id, in the catalog when it has begun. */
  readonly run: string;
  /** `pending`: it has not begun. `refused`: the catalog has not taken it, and there is no run. */
  readonly status: ExecutionStatus | 'refused';
  /** Names of those of the others that it waits for. */
  readonly after: readonly string[];
  /** Why it was refused. */
  readonly message: string | null;
}

/** @throws {@link NotFound}, {@link TemporalUnavailable} */
export async function refreshExecution(
  client: Client,
  workflowId: string,
  id: string,
): Promise<RefreshExecution> {
  const { type, status, startTime, closeTime, runId } = await described(client, workflowId, id);
  if (type !== REFRESH_WORKFLOW) throw new NotFound('refresh', id);
  const steps = await pastRefreshSteps(client, workflowId, runId);
  const asked = steps.find((step) => step.kind === 'asked');
  if (asked?.task.kind !== 'all') throw new NotFound('refresh', id);
  const state = statusOf(status.name);
  return {
    workflowId,
    status: state,
    task: asked.task,
    startedAt: startTime,
    completedAt: closeTime ?? null,
    runs: runsOf(steps, isClosed(state)),
  };
}

async function described(client: Client, workflowId: string, id: string) {
  try {
    return await requestTemporal(client, () => client.workflow.getHandle(workflowId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw new NotFound('refresh', id);
    throw error;
  }
}

/** @param isOver - what has not begun never will */
function runsOf(steps: readonly RefreshStep[], isOver: boolean): readonly RefreshedRun[] {
  const runs = new Map<string, RefreshedRun>();
  const change = (workflowId: string, known: Partial<RefreshedRun>): void => {
    const run = runs.get(workflowId);
    if (run !== undefined) runs.set(workflowId, { ...run, ...known });
  };
  for (const step of steps)
    switch (step.kind) {
      case 'asked':
        break;
      case 'planned':
        for (const run of step.runs) runs.set(run.workflowId, planned(run, isOver));
        break;
      case 'begun':
        change(step.workflowId, { status: 'running' });
        break;
      case 'ended':
        change(step.workflowId, { status: step.status });
        break;
      case 'refused':
        change(step.workflowId, { status: 'refused', message: step.message });
    }
  return [...runs.values()];
}

function planned(run: RefreshRun, isOver: boolean): RefreshedRun {
  const status = isOver ? 'cancelled' : 'pending';
  return { name: pipelineName(run), run: run.run, status, after: run.after, message: null };
}
