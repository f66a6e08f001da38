import { setTimeout as delay } from 'node:timers/promises';
import pc from 'picocolors';
import { RunFailed } from '../../engine/errors.js';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import type { EvalReport } from '../../src/attribute-pipeline/asked-pipeline.js';
import type { PipelinePlace } from '../../src/attribute-pipeline/pipeline-catalog.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import { EXIT } from '../exit-code.js';
import { formatCount } from '../flows/flow-format.js';
import { onInterruption } from '../interruption.js';
import { counted } from '../problem-report.js';
import { LiveLine } from './live-line.js';
import type { OpenAttributes } from './open-attributes.js';
import { runPlace } from './run-summary.js';

/** Time between two looks at how many have run. */
const LOOK_MS = 1_000;

/**
 * Runs the evals of a pipeline, and shows on a terminal how many have run.
 *
 * @returns what the process exits with, where they have not run to their end
 * @throws what {@link Attributes.runEvals} throws
 */
export async function runEvals(
  { engine, attributes }: OpenAttributes,
  place: PipelinePlace,
): Promise<number | undefined> {
  const since = new Date();
  const { id: pipelineId } = await attributes.pipelines.pipeline(place);
  const handle = await attributes.runEvals(place);
  const name = pipelineName(place);
  const interruption = onInterruption();
  const { signal } = interruption;
  try {
    const report = await watched(engine.resultOf(handle, signal), name, () =>
      countEvals(attributes, pipelineId, since),
    );
    tellLeftOut(report);
    return undefined;
  } catch (error) {
    if (error instanceof RunFailed) {
      process.stderr.write(`  ${pc.red('✗')} ${name}  ${error.message}\n`);
      return EXIT.failed;
    }
    if (!signal.aborted) throw error;
    process.stderr.write(
      `The evals go on.   See them later: millrace attributes evals ${name}   Cancel them: millrace cancel ${handle.workflowId}\n`,
    );
    process.stderr.write(runPlace(engine, handle.workflowId));
    return interruption.exitCode;
  } finally {
    interruption.dispose();
  }
}

/** How many evals there are, and how many of them have run. */
interface EvalsCount {
  readonly evals: number;
  readonly ran: number;
}

async function countEvals(
  { evals }: Attributes,
  pipelineId: string,
  since: Date,
): Promise<EvalsCount> {
  const count = await evals.countEvals(pipelineId);
  const left = await evals.countEvals(pipelineId, { since, after: null });
  return { evals: count, ran: count - left };
}

/** Waits for a report, and shows meanwhile how many evals have run. */
async function watched<T>(
  report: Promise<T>,
  name: string,
  count: () => Promise<EvalsCount>,
): Promise<T> {
  const line = new LiveLine(process.stderr, name);
  const over = new AbortController();
  const showing = process.stderr.isTTY ? showCounts(line, count, over.signal) : undefined;
  try {
    return await report;
  } finally {
    over.abort();
    await showing;
    line.end();
  }
}

async function showCounts(
  line: LiveLine,
  count: () => Promise<EvalsCount>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // What cannot be had now may be had in a second.
    const known = await count().catch(() => undefined);
    if (known !== undefined) {
      const { evals, ran } = known;
      const fraction = evals === 0 ? 1 : ran / evals;
      line.show(fraction, [`${formatCount(ran)} of ${formatCount(evals)} evals`]);
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

function tellLeftOut({ leftOut }: EvalReport): void {
  if (leftOut === 0) return;
  process.stderr.write(
    `${pc.yellow('!')} ${counted(leftOut, 'eval')} not run: the day's budget of the pipeline is used up (day_budget).\n`,
  );
}
