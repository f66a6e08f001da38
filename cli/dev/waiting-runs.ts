import type { Client } from '@temporalio/client';
import { parseRunId } from '../../engine/run-id.js';

/** Most runs that the line names. */
const MAX_NAMED = 3;

/** Most workflows that are looked at; of more nobody needs to know the number. */
const MAX_SEEN = 100;

/** What {@link waitingRuns} asks for. */
export interface WaitingRunsQuery {
  readonly taskQueue: string;
  /** Runs that were started before. */
  readonly before: Date;
  /** The process that worked on them was killed, so that Temporal has to find out first. */
  readonly workerLost: boolean;
}

/**
 * A line about the runs of a task queue that were in progress when a worker came, or undefined where there are none:
 * `1 run goes on: summarize 01M7…`. Temporal's visibility may miss what was started in the last second.
 */
export async function waitingRuns(
  client: Client,
  { taskQueue, before, workerLost }: WaitingRunsQuery,
): Promise<string | undefined> {
  const query = [
    "ExecutionStatus = 'Running'",
    `TaskQueue = '${taskQueue.replaceAll("'", "''")}'`,
    `StartTime < '${before.toISOString()}'`,
  ].join(' AND ');
  const named: string[] = [];
  let seen = 0;
  let count = 0;
  for await (const { workflowId } of client.workflow.list({ query, pageSize: MAX_SEEN })) {
    seen += 1;
    const id = parseRunId(workflowId);
    if (id !== undefined) {
      count += 1;
      if (named.length < MAX_NAMED) named.push(`${id.name} ${id.executionId}`);
    }
    if (seen === MAX_SEEN) break;
  }
  if (count === 0) return undefined;
  const many = seen === MAX_SEEN ? `${String(count)} or more runs go` : `${String(count)} runs go`;
  const more = count > named.length ? ', …' : '';
  const wait = workerLost
    ? ' (what the lost worker had begun is tried again after up to 10 s)'
    : '';
  return `${count === 1 && seen < MAX_SEEN ? '1 run goes' : many} on: ${named.join(', ')}${more}${wait}`;
}
