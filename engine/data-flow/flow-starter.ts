import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import type {
  Claim,
  ClaimRequest,
  DataFlowCatalog,
  FlowRunEnd,
  FlowRunRecord,
} from '../../src/data-flow/catalog.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import { flowStart } from '../../src/data-flow/run.js';
import { isUnknownWorkflow } from '../running-workflow.js';
import { requestTemporal } from '../temporal-request.js';

/** A claim whose workflow is not there is left to whoever has made it for so long. */
const START_GRACE_MS = 15_000;

/** What has become of an active run, and what was done about it. */
export type Settled = 'alive' | 'closed' | 'started' | 'waiting';

/** What a {@link FlowStarter} needs. */
export interface FlowStarterOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** The config has an `afterExecute`: runs are marked, so that workers call it at their end. */
  readonly afterExecute: boolean;
}

/** Claims runs of flows in the catalog, and starts their workflows. */
export class FlowStarter {
  constructor(
    private readonly catalog: DataFlowCatalog,
    private readonly options: FlowStarterOptions,
  ) {}

  /**
   * Claims the next run of a flow. An active run that ended without its code is closed first, so that it does not keep the
   * flow from running.
   */
  async claim(request: ClaimRequest): Promise<Claim> {
    const claim = await this.catalog.claim(request);
    if (claim.kind !== 'active') return claim;
    const settled = await this.settle(claim.run, request.now);
    return settled === 'closed' ? this.catalog.claim(request) : claim;
  }

  /** Claims the next run and starts it. */
  async claimAndStart(
    flow: CompiledDataFlow,
    request: Omit<ClaimRequest, 'flow' | 'after'>,
  ): Promise<Claim> {
    const claim = await this.claim({ ...request, flow: flow.name, after: flow.after });
    if (claim.kind === 'claimed') await this.start(flow, claim.run);
    return claim;
  }

  /**
   * Starts the workflow of a claimed run; does nothing when it has been started. The claim stays when the server is away: a
   * reconciliation starts it later.
   */
  async start(flow: CompiledDataFlow, run: FlowRunRecord): Promise<void> {
    const { client, taskQueue, afterExecute } = this.options;
    const { workflowType, workflowId, argument, memo, workflowExecutionTimeoutMs, summary } =
      flowStart(flow, run, { afterExecute });
    try {
      await requestTemporal(client, () =>
        client.workflow.start(workflowType, {
          workflowId,
          taskQueue,
          args: [argument],
          memo: { ...memo },
          workflowExecutionTimeout: workflowExecutionTimeoutMs,
          // A catalog that was begun anew counts from one again. That a claim runs once is kept by the catalog itself.
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'FAIL',
          ...(summary !== undefined && { staticSummary: summary }),
        }),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /**
   * Asks a run to end. One that was claimed and has no workflow is closed at once: should its workflow begin all the same, it finds
   * nothing to do.
   *
   * @returns false when it is over already
   */
  async cancel(run: FlowRunRecord, now: Date): Promise<boolean> {
    const { client } = this.options;
    const settled = await this.settle(run, now);
    if (settled === 'closed') return false;
    if (settled === 'waiting') {
      const errorMessage = 'The run was cancelled before it began.';
      return this.catalog.end(run, { status: 'cancelled', now, errorMessage });
    }
    try {
      await requestTemporal(client, () => client.workflow.getHandle(run.workflowId).cancel());
      return true;
    } catch (error) {
      if (!isUnknownWorkflow(error)) throw error;
      await this.settle(run, now);
      return false;
    }
  }

  /**
   * Looks what has become of a run that the catalog has for active: closes one whose workflow ended without recording it.
   *
   * @param flow - starts a run that was claimed and never started, where it is given
   */
  async settle(run: FlowRunRecord, now: Date, flow?: CompiledDataFlow): Promise<Settled> {
    const found = await this.workflowStatus(run);
    if (found === undefined) {
      if (now.getTime() - run.createdAt.getTime() < START_GRACE_MS) return 'waiting';
      if (flow === undefined) return 'waiting';
      await this.start(flow, run);
      return 'started';
    }
    if (found === 'RUNNING') return 'alive';
    const { status, errorMessage } = ENDINGS[found] ?? UNKNOWN_END;
    const ref = { flow: run.flow, runSeq: run.runSeq };
    await this.catalog.end(ref, {
      status,
      now,
      ...(errorMessage !== undefined && { errorMessage }),
    });
    return 'closed';
  }

  /** Temporal's status of a run's workflow, `RUNNING` or how it ended; undefined when it has none, or only one of another catalog's run. */
  async workflowStatus(run: FlowRunRecord): Promise<string | undefined> {
    const { client } = this.options;
    try {
      const { status, memo } = await requestTemporal(client, () =>
        client.workflow.getHandle(run.workflowId).describe(),
      );
      return memo?.['flowRun'] === run.id ? status.name : undefined;
    } catch (error) {
      if (isUnknownWorkflow(error)) return undefined;
      throw error;
    }
  }
}

interface Ending {
  readonly status: FlowRunEnd;
  readonly errorMessage?: string;
}

/** What the end of a workflow, which its own code has not recorded, means for its run. */
const ENDINGS: Readonly<Record<string, Ending>> = {
  COMPLETED: { status: 'success' },
  CANCELLED: { status: 'cancelled', errorMessage: 'The run was cancelled.' },
  TERMINATED: { status: 'failed', errorMessage: 'The run was terminated.' },
  TIMED_OUT: { status: 'failed', errorMessage: 'The run took longer than its timeout.' },
};

const UNKNOWN_END: Ending = {
  status: 'failed',
  errorMessage: 'The run failed before it could record why.',
};
