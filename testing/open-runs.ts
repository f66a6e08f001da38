import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import { statusOf } from '../engine/execution.js';
import { parseRunId, type RunKind } from '../engine/run-id.js';
import { isClosed } from '../src/progress/status.js';
import type { OpenRun } from './left-over.js';

/** What somebody has started on purpose; the others Millrace starts by itself, and they are due to nobody. */
const STARTED_BY_PEOPLE: readonly RunKind[] = ['pipeline', 'task', 'workflow'];

const REQUESTS_AT_ONCE = 10;

/** A server that does not answer keeps nobody from stopping, in milliseconds. */
const MAX_MS = 10_000;

/** Most runs that are looked for, and ended. */
const MAX_RUNS = 1_000;

/**
 * Terminates whatever is open on a task queue that only one test has, and says what of it somebody has started.
 *
 * @param started - ids of runs that are known to have been started: a server may not list them yet, or not at all
 */
export async function endOpenRuns(
  client: Client,
  taskQueue: string,
  started: ReadonlySet<string>,
): Promise<readonly OpenRun[]> {
  const ended = await client.connection.withDeadline(Date.now() + MAX_MS, async () => {
    const ids = new Set([...started, ...(await listed(client, taskQueue))]);
    const limit = pLimit(REQUESTS_AT_ONCE);
    return Promise.all([...ids].slice(0, MAX_RUNS).map((id) => limit(() => endIfOpen(client, id))));
  });
  return ended.filter(
    (run) => run !== undefined && STARTED_BY_PEOPLE.includes(parseRunId(run.id)?.kind ?? 'flow'),
  ) as readonly OpenRun[];
}

async function listed(client: Client, taskQueue: string): Promise<readonly string[]> {
  const query = `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'`;
  const ids: string[] = [];
  try {
    for await (const { workflowId } of client.workflow.list({ query })) {
      ids.push(workflowId);
      if (ids.length === MAX_RUNS) break;
    }
  } catch {
    // The time-skipping server has no lists.
  }
  return ids;
}

/** A list may be behind: the run itself says whether it is open. */
async function endIfOpen(client: Client, id: string): Promise<OpenRun | undefined> {
  const handle = client.workflow.getHandle(id);
  try {
    const status = statusOf((await handle.describe()).status.name);
    if (isClosed(status)) return undefined;
    await handle.terminate('the test is over');
    return { id, status };
  } catch {
    // It has ended meanwhile, or the server has.
    return undefined;
  }
}
