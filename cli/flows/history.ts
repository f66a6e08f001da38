import { InvalidArgumentError, Option, type Command } from 'commander';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import {
  FLOW_RUN_STATUSES,
  type FlowRunRecord,
  type FlowRunStatus,
  type RejectionRecord,
} from '../../src/data-flow/catalog.js';
import { formatDuration, formatTable, formatTime, oneLine, visibleWidth } from '../format.js';
import { counted } from '../problem-report.js';
import { durationOf, formatCount, formatRunStatus } from './flow-format.js';
import { printJson, runJson } from './flow-json.js';
import { withFlows } from './open-flows.js';

/** Most runs that are listed. */
const MAX_RUNS = 1_000;

/** Rejected rows that are asked for at once, and that a table shows unless told otherwise. */
const REJECTIONS_PAGE = 500;
const REJECTIONS_SHOWN = 20;

/** Runs that are looked through for one that has rejected rows. */
const RUNS_SEARCHED = 100;

/** Longest reason and row of a table that goes elsewhere than to a terminal, in characters. */
const MAX_CELL = 200;

interface RunsOptions {
  readonly dir?: string;
  readonly limit: number;
  readonly status?: FlowRunStatus;
  readonly json: boolean;
}

const RUNS_EXAMPLES = `
Examples:
  $ millrace flows runs
  $ millrace flows runs import-orders
  $ millrace flows runs import-orders --status failed --limit 5
  $ millrace flows runs import-orders --json | jq '.[0].counts'
`;

/** Adds `flows runs`: the history of a flow, or of all. */
export function addRunsCommand(flows: Command): void {
  flows
    .command('runs [name]')
    .summary('list the runs of a data flow, or of all, newest first')
    .description(
      'Lists the runs of a data flow, or of all of them, newest first, also those that Temporal has forgotten.',
    )
    .addOption(
      new Option('--status <status>', 'only runs with this status').choices(FLOW_RUN_STATUSES),
    )
    .option('--limit <n>', `at most so many, 1 to ${String(MAX_RUNS)}`, limitOf, 20)
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', RUNS_EXAMPLES)
    .action(async (name: string | undefined, { dir, limit, status, json }: RunsOptions) => {
      const query = { limit, ...(status !== undefined && { status }) };
      const runs = await withFlows(dir, ({ flows: open }) =>
        name === undefined ? open.latestRuns(query) : open.runs(name, query),
      );
      if (json) printJson(runs.map(runJson));
      else process.stdout.write(`${runsText(runs, name === undefined)}\n`);
    });
}

function runsText(runs: readonly FlowRunRecord[], ofAll: boolean): string {
  if (runs.length === 0) return 'There are no such runs.';
  const rows = runs.map((run) => [
    ...(ofAll ? [run.flow] : []),
    String(run.runSeq),
    formatRunStatus(run.status),
    run.trigger,
    formatTime(run.startedAt),
    formatDuration(durationOf(run)),
    formatCount(run.counts.read),
    formatCount(run.counts.written),
    formatCount(run.counts.rejected),
    oneLine(run.errorMessage ?? '', ERROR_WIDTH),
  ]);
  const head = ['RUN', 'STATUS', 'TRIGGER', 'STARTED', 'TOOK', 'READ', 'WRITTEN', 'REJECTED', ''];
  return formatTable([[...(ofAll ? ['FLOW'] : []), ...head], ...rows])
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const ERROR_WIDTH = 60;

interface RejectionsOptions {
  readonly dir?: string;
  readonly limit?: number;
  readonly json: boolean;
}

const REJECTIONS_EXAMPLES = `
Without a run it is the last one that has rejected any. --json prints one object a line (NDJSON), of all of them.

Examples:
  $ millrace flows rejections import-orders
  $ millrace flows rejections import-orders 7 --json | jq -r .reason | sort | uniq -c
`;

/** Adds `flows rejections`: rows that a run has rejected, with the reasons. */
export function addRejectionsCommand(flows: Command): void {
  flows
    .command('rejections <name> [run]')
    .summary('list the rows that a run has rejected, with the reasons')
    .description('Lists the rows that a run of a data flow has rejected, with the reasons.')
    .option(
      '--limit <n>',
      `at most so many (default: ${String(REJECTIONS_SHOWN)}; all with --json)`,
      limitOf,
    )
    .option('--json', 'print them as NDJSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', REJECTIONS_EXAMPLES)
    .action(async (name: string, run: string | undefined, options: RejectionsOptions) => {
      await withFlows(options.dir, async ({ flows: open }) => {
        const found =
          run === undefined ? await lastRejecting(open, name) : await open.findRun(name, run);
        if (found === undefined) tellNone(name, options.json);
        else await rejections(open, found, options);
      });
    });
}

async function lastRejecting(flows: DataFlows, name: string): Promise<FlowRunRecord | undefined> {
  const runs = await flows.runs(name, { limit: RUNS_SEARCHED });
  return runs.find(({ counts }) => counts.rejected > 0);
}

function tellNone(name: string, json: boolean): void {
  if (!json)
    process.stdout.write(
      `None of the last ${String(RUNS_SEARCHED)} runs of ${name} has rejected a row.\n`,
    );
}

async function rejections(
  flows: DataFlows,
  run: FlowRunRecord,
  { limit, json }: RejectionsOptions,
): Promise<void> {
  if (json) {
    for await (const rejection of rejectionsOf(flows, run, limit ?? Infinity))
      process.stdout.write(`${JSON.stringify(rejection)}\n`);
    return;
  }
  const shown: RejectionRecord[] = [];
  for await (const rejection of rejectionsOf(flows, run, limit ?? REJECTIONS_SHOWN))
    shown.push(rejection);
  const { flow, runSeq, counts } = run;
  const more = counts.rejected - shown.length;
  process.stdout.write(
    shown.length === 0
      ? `Run ${String(runSeq)} of ${flow} has rejected no row.\n`
      : `Run ${String(runSeq)} of ${flow} has rejected ${counted(Math.max(counts.rejected, shown.length), 'row')}.\n\n${rejectionsText(shown, process.stdout.columns)}\n${more > 0 ? `… ${formatCount(more)} more: --limit, or --json for all\n` : ''}`,
  );
}

async function* rejectionsOf(
  flows: DataFlows,
  run: FlowRunRecord,
  limit: number,
): AsyncGenerator<RejectionRecord> {
  let after: number | undefined;
  for (let left = limit; left > 0;) {
    const asked = Math.min(left, REJECTIONS_PAGE);
    const page = await flows.rejections(run, {
      limit: asked,
      ...(after !== undefined && { after }),
    });
    yield* page;
    if (page.length < asked) return;
    after = page.at(-1)?.rowNumber;
    left -= page.length;
  }
}

/** Each rejected row takes two lines: why, and what it is. */
function rejectionsText(shown: readonly RejectionRecord[], columns: number | undefined): string {
  const width = Math.max(...shown.map(({ rowNumber }) => String(rowNumber).length), 3);
  return shown
    .map(({ rowNumber, phase, reason, row }) => {
      const head = `${String(rowNumber).padStart(width)}  `;
      const room = columns === undefined ? MAX_CELL : Math.max(20, columns - visibleWidth(head));
      return [
        `${head}${oneLine(`${phase}: ${reason}`, room)}`,
        `${' '.repeat(head.length)}${oneLine(JSON.stringify(row), room)}`,
      ].join('\n');
    })
    .join('\n');
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_RUNS) return limit;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${String(MAX_RUNS)}.`);
}
