import { WorkflowFailedError } from '@temporalio/client';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { AttributeRunOptions } from '../../engine/attribute-pipeline/attribute-run-starter.js';
import { pipelineName } from '../../src/attribute-pipeline/pipeline.js';
import type { RefreshResult } from '../../src/attribute-pipeline/refresh.js';
import type { AttributeRun } from '../../src/attribute-pipeline/run.js';
import { EXIT, UsageError } from '../exit-code.js';
import { formatCount } from '../flows/flow-format.js';
import { printJson } from '../flows/flow-json.js';
import { formatDuration } from '../format.js';
import { onInterruption } from '../interruption.js';
import { formatCost } from './cost-format.js';
import { watchAttributes } from './attribute-view.js';
import { placeOf, withAttributes, type OpenAttributes } from './open-attributes.js';
import { alsoWhere, filterOf } from './where.js';

interface RunOptions {
  readonly dir?: string;
  readonly all: boolean;
  readonly force: boolean;
  readonly where: readonly string[];
  readonly max?: string;
  readonly retry?: string;
  readonly queue: boolean;
  readonly detach: boolean;
  readonly json: boolean;
}

const EXAMPLES = `
Computes what has changed since the last run; with --force everything, which \`millrace attributes quote\` tells the cost of first.
Several pipelines run in the order in which they depend on each other. One run of a pipeline goes on at a time: while another one
does, this exits with 2, or waits with --queue. Exits with 1 when the run fails or is cancelled; what was written stays.

Progress goes to standard error, what the run has come to to standard output. Ctrl-C leaves; the run goes on.

Examples:
  $ millrace attributes run product.area
  $ millrace attributes run product.area product.volume
  $ millrace attributes run product.verdict --force --where 'brand=Acme' --max 100
  $ millrace attributes run product.verdict --retry 01JD3M2Z8Q4W6Y9T5R1K7P0XVB
  $ millrace attributes run --all
`;

/** Adds `attributes run`: starts runs, and tells what they have come to. */
export function addRunCommand(attributes: Command): void {
  attributes
    .command('run [pipelines...]')
    .summary('compute attributes now and show how far it is')
    .description('Runs pipelines now, and shows how far they are.')
    .option('--all', 'all pipelines, each after those that it reads from', false)
    .option('--force', 'compute also what has not changed', false)
    .option(
      '--where <condition>',
      "only entities of which it holds: 'width>3'; may be repeated",
      alsoWhere,
      [],
    )
    .option('--max <count>', 'at most so many entities')
    .option('--retry <run>', 'only entities that have failed in this run')
    .option('--queue', 'wait for the end of another run of the pipeline', false)
    .option('--detach', 'print the id of the run and do not wait for it', false)
    .option('--json', 'print what the run has come to as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (names: readonly string[], options: RunOptions) => {
      process.exitCode = await withAttributes(options.dir, (open) => run(open, names, options));
    });
}

async function run(
  open: OpenAttributes,
  names: readonly string[],
  options: RunOptions,
): Promise<number> {
  const { all, force, where, max, retry, queue } = options;
  if (all === names.length > 0)
    throw new UsageError('Name pipelines, such as product.area, or run --all of them.');
  const filter = filterOf(where);
  const maxEntities = max === undefined ? undefined : countOf(max);
  const task: AttributeRunOptions = {
    force,
    ...(filter !== undefined && { filter }),
    ...(maxEntities !== undefined && { maxEntities }),
  };
  const [only] = names;
  if (names.length === 1 && only !== undefined)
    return runOne(open, only, {
      ...options,
      task: { ...task, queue, ...(retry !== undefined && { retryOf: retry }) },
    });
  if (retry !== undefined) throw new UsageError('--retry is for one pipeline. Name it.');
  return runSeveral(open, names, { ...options, task: { force, ...task } });
}

function countOf(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new UsageError(`--max ${text}: write a whole number from 1.`);
}

async function runOne(
  { engine, attributes }: OpenAttributes,
  name: string,
  { detach, json, task }: RunOptions & { readonly task: AttributeRunOptions },
): Promise<number> {
  const { run: started } = await attributes.run(placeOf(name), task);
  if (detach) {
    process.stdout.write(`${started.workflowId}\n`);
    return EXIT.ok;
  }
  const interruption = onInterruption();
  try {
    await watchAttributes(engine, started, interruption.signal);
  } finally {
    interruption.dispose();
  }
  if (interruption.signal.aborted) {
    process.stderr.write(`The run goes on.   Cancel it: millrace cancel ${started.workflowId}\n`);
    return interruption.exitCode;
  }
  const over = await attributes.runs.run(started.id);
  if (json) printJson(over);
  else process.stdout.write(summary(over));
  if (over.errorMessage !== null && !json)
    process.stderr.write(`    ${pc.red(over.errorMessage)}\n`);
  const link = engine.uiLink(over.workflowId);
  const place = [over.workflowId, ...(link === undefined ? [] : [link])].join('   ');
  process.stderr.write(`  ${pc.dim(place)}\n`);
  return over.status === 'completed' ? EXIT.ok : EXIT.failed;
}

function summary(run: AttributeRun): string {
  const { status, counts, startedAt, completedAt, cost, tokensIn, tokensOut } = run;
  const tookMs = (completedAt ?? new Date()).getTime() - startedAt.getTime();
  const parts = [
    `${formatCount(counts.processed)} computed`,
    ...(counts.unchanged > 0 ? [`${formatCount(counts.unchanged)} unchanged`] : []),
    ...(counts.skipped > 0 ? [`${formatCount(counts.skipped)} skipped`] : []),
    ...(counts.failed > 0 ? [pc.red(`${formatCount(counts.failed)} failed`)] : []),
    ...(tokensIn === null
      ? []
      : [`${formatCount(tokensIn)} tokens in, ${formatCount(tokensOut ?? 0)} out`]),
    ...(cost === null ? [] : [`cost ${formatCost(cost)}`]),
  ];
  const mark = status === 'completed' ? pc.green('✓') : pc.red('✗');
  const warnings = run.warnings.map((warning) => `    ${pc.yellow('!')} ${warning}\n`).join('');
  return `  ${mark} ${pipelineName(run)}  ${status}  ${parts.join(', ')} in ${formatDuration(tookMs)}\n${warnings}`;
}

async function runSeveral(
  { engine, attributes }: OpenAttributes,
  names: readonly string[],
  { detach, json, task }: RunOptions & { readonly task: AttributeRunOptions },
): Promise<number> {
  const pipelines = names.map(placeOf);
  for (const place of pipelines) await attributes.pipelines.pipeline(place);
  const workflowId = await attributes.refresh.all({
    kind: 'all',
    trigger: 'manual',
    task: { force: false, ...task },
    ...(pipelines.length > 0 && { pipelines }),
  });
  if (detach) {
    process.stdout.write(`${workflowId}\n`);
    return EXIT.ok;
  }
  const startedAt = Date.now();
  try {
    // The workflow's type says what it returns.
    const result = (await engine.temporal.client.workflow
      .getHandle(workflowId)
      .result()) as RefreshResult;
    const { completed, failed } = result;
    if (json) printJson(result);
    else
      process.stdout.write(
        `  ${failed === 0 ? pc.green('✓') : pc.red('✗')} ${String(completed)} completed, ${String(failed)} failed in ${formatDuration(Date.now() - startedAt)}\n`,
      );
    return failed === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    process.stderr.write(`  ${pc.red('✗')} ${error.cause?.message ?? error.message}\n`);
    return EXIT.failed;
  }
}
