import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { GRPC, grpcCode } from '../grpc-code.js';

/** One page of a run's history. */
export interface HistoryPage {
  readonly events: readonly temporal.api.history.v1.IHistoryEvent[];
  /** Empty when there is no more: at the end of a closed run, or of what there is when not waiting. */
  readonly nextPageToken: Uint8Array;
}

/** What is asked for. */
export interface HistoryRequest {
  readonly workflowId: string;
  readonly runId: string;
  readonly nextPageToken?: Uint8Array;
  /** Wait for new events where there are none. The server answers with an empty page after a while. */
  readonly wait: boolean;
  readonly signal?: AbortSignal;
}

/** Longest time of one request that does not wait. */
const READ_DEADLINE_MS = 10_000;

/** The server ends a long poll after about a minute; later than that it has been lost. */
const WAIT_DEADLINE_MS = 90_000;

/** Reads one page of a run's history. Throws when the signal is aborted. */
export async function readHistoryPage(
  client: Client,
  request: HistoryRequest,
): Promise<HistoryPage> {
  const { workflowId, runId, nextPageToken, wait, signal } = request;
  const { connection, workflowService } = client;
  const deadline = Date.now() + (wait ? WAIT_DEADLINE_MS : READ_DEADLINE_MS);
  // Temporal's client never takes its listener off a signal again, and a watch reads many pages: each gets its own signal.
  const ending = new AbortController();
  const onAbort = (): void => {
    ending.abort();
  };
  signal?.throwIfAborted();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const response = await connection.withAbortSignal(ending.signal, () =>
      connection.withDeadline(deadline, () =>
        workflowService.getWorkflowExecutionHistory({
          namespace: client.options.namespace,
          execution: { workflowId, runId },
          waitNewEvent: wait,
          ...(nextPageToken !== undefined && { nextPageToken }),
        }),
      ),
    );
    return { events: response.history?.events ?? [], nextPageToken: response.nextPageToken };
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** True when the server says that it does not know the run. */
export function isNotFound(error: unknown): boolean {
  return grpcCode(error) === GRPC.notFound;
}
