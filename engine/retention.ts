import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Log } from '../src/pipeline/context.js';
import { grpcCode } from './grpc-code.js';

const DAY_MS = 24 * 60 * 60_000;

/** Temporal's least retention. */
const LEAST_MS = DAY_MS;

/** Longest time of one request about a namespace. */
const REQUEST_MS = 10_000;

/**
 * Has Temporal keep ended runs for as long as the project wants them. Only ever raises a namespace's retention, since
 * others may use it too. Warns where it may not, and the namespace's own is shorter.
 *
 * @returns the namespace's retention in milliseconds, undefined where it cannot be asked for
 */
export async function raiseRetention(
  client: Client,
  wantedMs: number,
  log: Log,
): Promise<number | undefined> {
  const ownMs = await retentionMs(client);
  const leastMs = Math.max(wantedMs, LEAST_MS);
  if (ownMs === undefined || ownMs >= leastMs) return ownMs;
  try {
    await setRetention(client, leastMs);
    return leastMs;
  } catch (error) {
    const { namespace } = client.options;
    log.warn(
      { namespace, keptDays: ownMs / DAY_MS, wantedDays: wantedMs / DAY_MS, code: grpcCode(error) },
      'the namespace keeps ended runs for less time than executionRetention asks for, and does not let us change that: ' +
        'results and idempotency keys are gone earlier',
    );
    return ownMs;
  }
}

/** Sets a namespace's retention, for a namespace that is ours alone. Temporal's least is a day. */
export async function setRetention(client: Client, retentionMs: number): Promise<void> {
  await client.connection.withDeadline(Date.now() + REQUEST_MS, () =>
    client.workflowService.updateNamespace({
      namespace: client.options.namespace,
      config: { workflowExecutionRetentionTtl: msToTs(Math.max(retentionMs, LEAST_MS)) },
    }),
  );
}

async function retentionMs(client: Client): Promise<number | undefined> {
  try {
    const { config } = await client.connection.withDeadline(Date.now() + REQUEST_MS, () =>
      client.workflowService.describeNamespace({ namespace: client.options.namespace }),
    );
    const ttl = config?.workflowExecutionRetentionTtl;
    if (!ttl) return undefined;
    const ms = Number(ttl.seconds ?? 0) * 1_000 + (ttl.nanos ?? 0) / 1_000_000;
    return ms > 0 ? ms : undefined;
  } catch {
    // Not every server lets clients ask; then it cannot be changed either.
    return undefined;
  }
}
