import type { Command } from 'commander';
import pc from 'picocolors';
import { FlowActive } from '../../engine/data-flow/flow-errors.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import { RunNotFound } from '../../engine/errors.js';
import type { FlowRunRecord } from '../../src/data-flow/catalog.js';
import { EXIT, UsageError } from '../exit-code.js';
import { onInterruption, type Interruption } from '../interruption.js';
import { printJson, runJson } from './flow-json.js';
import { flowProgress } from './flow-progress.js';
import { flowView } from './flow-view.js';
import { withFlows, type OpenFlows } from './open-flows.js';
import { failureText, summaryText } from './run-text.js';
import { removeSpooled, spoolStandardInput } from './standard-input.js';

interface RunOptions {
  readonly dir?: string;
  /** True where no run is named. */
  readonly follow?: string | true;
  readonly detach: boolean;
  readonly json: boolean;
  readonly stdin: boolean;
}

const EXAMPLES = `
A flow that is disabled or paused is run, too. At most one run of a flow is active: while one is, this exits with 2 and
says how to follow it. Exits with 1 when the run fails or is cancelled.

Progress goes to standard error, what the run has come to to standard output. Ctrl-C leaves; the run goes on.

Examples:
  $ millrace flows run import-orders
  $ millrace flows run import-orders --follow
  $ millrace flows run import-orders --follow 7
  $ millrace flows run import-orders --detach
  $ millrace flows run import-orders --json | jq .counts.rejected
  $ gunzip -c orders.csv.gz | millrace flows run import-orders --stdin
`;

/** Adds `flows run`: starts a run, or watches one, and tells what it has come to. */
export function addRunCommand(flows: Command): void {
  flows
    .command('run <name>')
    .summary('run a data flow now and show how far it is')
    .description('Runs a data flow now, from where it left off, and shows how far it is.')
    .option('--follow [run]', 'start none, but watch this run: its number or id, or the newest')
    .option('--detach', 'print the id of the run and do not wait for it', false)
    .option('--stdin', "hand standard input to a source whose path is '-'", false)
    .option('--json', 'print what the run has come to as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: RunOptions) => {
      if (options.detach && options.follow !== undefined)
        throw new UsageError('--detach starts a run, --follow watches one. Use one of them.');
      if (options.stdin && options.follow !== undefined)
        throw new UsageError(
          '--stdin is for a run that starts, --follow watches one. Use one of them.',
        );
      process.exitCode = await withFlows(options.dir, async (open) => run(open, name, options));
    });
}

async function run(open: OpenFlows, name: string, options: RunOptions): Promise<number> {
  const { follow, detach, json, stdin } = options;
  if (stdin) await spoolStandardInput(open.flows, open.dir, name);
  const started =
    follow === undefined ? await start(open.flows, name) : await followed(open.flows, name, follow);
  if (detach) {
    if (json) printJson(runJson(started));
    else process.stdout.write(`${started.workflowId}\n`);
    return EXIT.ok;
  }
  const interruption = onInterruption();
  try {
    if (started.endedAt === null) await watch(open, started, interruption);
  } finally {
    interruption.dispose();
  }
  if (interruption.signal.aborted) {
    process.stderr.write(
      `The run goes on. Follow it: millrace flows run ${name} --follow ${String(started.runSeq)}   Cancel it: millrace cancel ${started.workflowId}\n`,
    );
    return interruption.exitCode;
  }
  const over = await ended(open.flows, started);
  if (stdin && over.status === 'success') await removeSpooled(open.dir, name);
  return tellOutcome(open, over, json);
}

async function followed(
  flows: DataFlows,
  name: string,
  run: string | true,
): Promise<FlowRunRecord> {
  if (run !== true) return flows.findRun(name, numberIn(run));
  const [newest] = await flows.runs(name, { limit: 1 });
  if (newest !== undefined) return newest;
  throw new UsageError(`${name} has no run yet. Start one: millrace flows run ${name}`);
}

/** Also of a whole id: `flow/import-orders/7`. */
function numberIn(run: string): string {
  return /^flow\/[^/]+\/(\d+)$/.exec(run)?.[1] ?? run;
}

async function start(flows: DataFlows, name: string): Promise<FlowRunRecord> {
  try {
    return await flows.run(name);
  } catch (error) {
    if (!(error instanceof FlowActive)) throw error;
    throw new UsageError(
      `${error.message}\nFollow it: millrace flows run ${name} --follow ${String(error.run.runSeq)}`,
    );
  }
}

/** Shows how far the run is until it is over, or until the person has seen enough. */
async function watch(
  { engine }: OpenFlows,
  { flow, runSeq, createdAt }: FlowRunRecord,
  { signal }: Interruption,
): Promise<void> {
  const id = { kind: 'flow', name: flow, executionId: String(runSeq) } as const;
  const view = flowView(process.stderr, { name: flow, startedAt: createdAt.getTime() });
  try {
    for await (const { type, data } of engine.runWithId(id).events({ hints: true, signal })) {
      if (type === 'flow_progress') view.show(flowProgress(data));
    }
  } catch (error) {
    // Temporal has forgotten it, or it was claimed and not started: what the catalog says counts.
    if (!(error instanceof RunNotFound)) throw error;
  } finally {
    view.end(!signal.aborted);
  }
}

/** The run as the catalog has it. One that was ended from outside is closed there first. */
async function ended(flows: DataFlows, started: FlowRunRecord): Promise<FlowRunRecord> {
  const found = await flows.findRun(started.flow, String(started.runSeq));
  if (found.endedAt !== null) return found;
  await flows.starter.settle(found, new Date());
  return flows.findRun(started.flow, String(started.runSeq));
}

function tellOutcome({ engine }: OpenFlows, run: FlowRunRecord, json: boolean): number {
  if (json) printJson(runJson(run));
  else process.stdout.write(summaryText(run));
  if (run.status !== 'success') process.stderr.write(`${failureText(run)}\n`);
  const link = engine.uiLink(run.workflowId);
  const place = [run.workflowId, ...(link === undefined ? [] : [link])].join('   ');
  process.stderr.write(`  ${pc.dim(place)}\n`);
  return run.status === 'success' ? EXIT.ok : EXIT.failed;
}
