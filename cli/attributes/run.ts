import type { Command } from 'commander';
import pc from 'picocolors';
import type { RunTask } from '../../src/attribute-pipeline/run.js';
import { EXIT, UsageError } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { onInterruption } from '../interruption.js';
import { watchAttributes } from './attribute-view.js';
import { placeOf, withAttributes, type OpenAttributes } from './open-attributes.js';
import { quoteLine } from './quote.js';
import { runSeveral } from './run-several.js';
import { runPlace, runSummary, runTrouble } from './run-summary.js';
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
does, this exits with 2, or waits with --queue; each of several pipelines waits in any case. Exits with 1 when a run fails or is
cancelled; what was written stays. With --retry, what has failed is computed again, whether or not it has changed since.

What a run is likely to cost, where it asks models, and its progress go to standard error, what it has come to to standard output.
Ctrl-C leaves; what runs goes on.

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
    .option('--queue', 'wait for the end of another run of the pipeline, as several do', false)
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
  const { all, force, where, max, retry } = options;
  if (all === names.length > 0)
    throw new UsageError('Name pipelines, such as product.area, or run --all of them.');
  const filter = filterOf(where);
  const task: RunTask = {
    force,
    ...(filter !== undefined && { filter }),
    ...(max !== undefined && { maxEntities: countOf(max) }),
    ...(retry !== undefined && { retryOf: retry }),
  };
  const [only] = names;
  if (names.length === 1 && only !== undefined) return runOne(open, only, { ...options, task });
  if (retry !== undefined) throw new UsageError('--retry is for one pipeline. Name it.');
  return runSeveral(open, names, { ...options, task });
}

function countOf(text: string): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new UsageError(`--max ${text}: write a whole number from 1.`);
}

async function runOne(
  { engine, attributes }: OpenAttributes,
  name: string,
  { detach, json, queue, task }: RunOptions & { readonly task: RunTask },
): Promise<number> {
  const place = placeOf(name);
  const quote = json ? undefined : await quoteLine(attributes, place, task);
  if (quote !== undefined) process.stderr.write(`  ${pc.dim(quote)}\n`);
  const { run: started } = await attributes.run(place, { ...task, queue });
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
  else {
    process.stdout.write(runSummary(over));
    process.stderr.write(runTrouble(over));
  }
  process.stderr.write(runPlace(engine, over.workflowId));
  return over.status === 'completed' ? EXIT.ok : EXIT.failed;
}
