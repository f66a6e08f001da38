import type { WorkflowHandle } from '@temporalio/client';
import pc from 'picocolors';
import { RunFailed } from '../../engine/errors.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type {
  RefreshResult,
  RefreshRun,
  RefreshTask,
} from '../../src/attribute-pipeline/refresh.js';
import type { RunTask } from '../../src/attribute-pipeline/run.js';
import { EXIT } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { formatDuration } from '../format.js';
import { onInterruption } from '../interruption.js';
import { placeOf, type OpenAttributes } from './open-attributes.js';
import { quoteLine } from './quote.js';
import { runPlace } from './run-summary.js';
import { SeveralRuns } from './several-runs.js';

/** How several pipelines are run. */
export interface SeveralOptions {
  readonly task: RunTask;
  readonly detach: boolean;
  readonly json: boolean;
}

/**
 * Runs several pipelines, each after those that it reads from, and tells what they have come to.
 *
 * @param names - of pipelines; none for all that there are
 * @returns what the process exits with
 * @throws {@link UsageError}, and what the catalog and Temporal throw
 */
export async function runSeveral(
  open: OpenAttributes,
  names: readonly string[],
  { task, detach, json }: SeveralOptions,
): Promise<number> {
  const { attributes } = open;
  const pipelines = names.map(placeOf);
  for (const place of pipelines) await attributes.pipelines.pipeline(place);
  const wanted = {
    kind: 'all',
    trigger: 'manual',
    task,
    ...(pipelines.length > 0 && { pipelines }),
  } as const satisfies RefreshTask;
  const planned = await attributes.refresh.plan({ task: wanted, running: [], failed: [] });
  if (!json) await tellQuotes(open, planned, task);
  const startedAt = Date.now();
  const { workflowId } = await attributes.refresh.all(wanted);
  if (detach) {
    process.stdout.write(`${workflowId}\n`);
    return EXIT.ok;
  }
  const runs = new SeveralRuns(open, { workflowId, names: planned.map(pipelineName), json });
  const interruption = onInterruption();
  try {
    await runs.watch(interruption.signal);
  } finally {
    interruption.dispose();
  }
  if (interruption.signal.aborted) {
    process.stderr.write(runs.goesOn());
    return interruption.exitCode;
  }
  const code = await tellOutcome(open, runs, { workflowId, startedAt, json });
  process.stderr.write(runPlace(open.engine, workflowId));
  return code;
}

/** What a run writes that others read is not in their quotes yet. */
async function tellQuotes(
  { attributes }: OpenAttributes,
  planned: readonly RefreshRun[],
  task: RunTask,
): Promise<void> {
  for (const { entityType, attribute } of planned) {
    const place = { entityType, attribute };
    const line = await quoteLine(attributes, place, task);
    if (line !== undefined) process.stderr.write(`  ${pipelineName(place)}  ${pc.dim(line)}\n`);
  }
}

/** Of the runs together: what has come of each was told when it ended. */
async function tellOutcome(
  { engine }: OpenAttributes,
  { over }: SeveralRuns,
  {
    workflowId,
    startedAt,
    json,
  }: { readonly workflowId: string; readonly startedAt: number; readonly json: boolean },
): Promise<number> {
  try {
    const handle: WorkflowHandle<() => Promise<RefreshResult>> =
      engine.temporal.client.workflow.getHandle(workflowId);
    const { completed, failed } = await engine.resultOf(handle);
    if (json) printJson({ completed, failed, runs: over });
    else
      process.stdout.write(
        `  ${failed === 0 ? pc.green('✓') : pc.red('✗')} ${String(completed)} completed, ${String(failed)} failed in ${formatDuration(Date.now() - startedAt)}\n`,
      );
    return failed === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    const message = error.status === 'cancelled' ? 'The runs were cancelled.' : error.message;
    process.stderr.write(`  ${pc.red('✗')} ${message}\n`);
    return EXIT.failed;
  }
}
