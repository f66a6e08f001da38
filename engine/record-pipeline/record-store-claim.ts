import type { Client } from '@temporalio/client';
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { Failure } from '../../src/pipeline/failure.js';
import { BEGIN_RECORDS_ACTIVITY } from '../../src/record-pipeline/plan.js';
import { readHistoryPage } from '../history/read-history.js';
import { failureOf } from '../run-result.js';

/** Most pages of history that are looked at: a run that begins has one, and an empty one for each minute of waiting. */
const MAX_PAGES = 20;

/** What has become of a run that was to get its store. */
export type StoreClaim =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** It has neither got it nor failed: it waits for a worker, or for another run. */
  | { readonly kind: 'waiting' };

/**
 * Waits until a run has got its store, or has ended without it, by its history.
 *
 * @param workflowId - of a run that was started just now
 * @param waitMs - longest wait
 */
export async function storeClaim(
  client: Client,
  workflowId: string,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<StoreClaim> {
  const enough = new AbortController();
  let stop = (): void => undefined;
  const waited = new Promise<StoreClaim>((resolve) => {
    stop = () => {
      resolve({ kind: 'waiting' });
      // Not every connection ends a request for this.
      enough.abort();
    };
  });
  const timer = setTimeout(stop, waitMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const claim = claimInHistory(client, workflowId, enough.signal);
  // Nobody waits for it any more, perhaps.
  claim.catch(() => undefined);
  try {
    return await Promise.race([waited, claim]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function claimInHistory(
  client: Client,
  workflowId: string,
  signal: AbortSignal,
): Promise<StoreClaim> {
  const begins = new Set<number>();
  let nextPageToken: Uint8Array | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const read = await readHistoryPage(client, {
      workflowId,
      // The one that there is.
      runId: '',
      wait: true,
      signal,
      ...(nextPageToken !== undefined && { nextPageToken }),
    });
    for (const event of read.events) {
      const claim = await claimOf(client, event, begins);
      if (claim !== undefined) return claim;
    }
    ({ nextPageToken } = read);
    if (nextPageToken.length === 0) break;
  }
  return { kind: 'waiting' };
}

/** What an event says about the claim. */
async function claimOf(
  client: Client,
  event: temporal.api.history.v1.IHistoryEvent,
  begins: Set<number>,
): Promise<StoreClaim | undefined> {
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled?.activityType?.name === BEGIN_RECORDS_ACTIVITY) begins.add(Number(event.eventId));
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed && begins.has(Number(completed.scheduledEventId))) return { kind: 'claimed' };
  if (event.workflowExecutionCompletedEventAttributes) return { kind: 'claimed' };
  const failed = event.workflowExecutionFailedEventAttributes;
  if (!failed) return undefined;
  const { loadedDataConverter } = client.options;
  const error = await decodeOptionalFailureToOptionalError(loadedDataConverter, failed.failure);
  return { kind: 'failed', failure: failureOf(error) };
}
