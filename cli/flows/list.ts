import type { Command } from 'commander';
import pc from 'picocolors';
import { formatTable, formatTime, oneLine, visibleWidth } from '../format.js';
import { formatFraction, formatRows, formatRunStatus } from './flow-format.js';
import { flowJson, printJson } from './flow-json.js';
import {
  conditionOf,
  nextOf,
  noteOf,
  overviewsOf,
  whenTextOf,
  type FlowCondition,
  type FlowOverview,
} from './flow-overview.js';
import { withFlows } from './open-flows.js';

interface ListOptions {
  readonly dir?: string;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  $ millrace flows list
  $ millrace flows list --json | jq -r '.[] | select(.state == "disabled").name'
`;

/** Adds `flows list`: the flows there are, and how they are. */
export function addListCommand(flows: Command): void {
  flows
    .command('list')
    .summary('list the data flows: when they run, their last run, their state')
    .description('Lists the data flows, also those that no deployed code has any more (orphans).')
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (options: ListOptions) => list(options));
}

async function list({ dir, json }: ListOptions): Promise<void> {
  const overviews = await withFlows(dir, async (open) =>
    overviewsOf(open, await open.flows.list()),
  );
  if (json) printJson(overviews.map(flowJson));
  else process.stdout.write(`${listText(overviews, process.stdout.columns)}\n`);
}

/**
 * A table; where that is wider than the terminal, two lines for each flow.
 *
 * @param columns - of the terminal; undefined elsewhere
 */
export function listText(overviews: readonly FlowOverview[], columns: number | undefined): string {
  if (overviews.length === 0)
    return 'There are no data flows yet. Put some into flows/; defineDataFlow and flows/*.yml make them.';
  const rows = overviews.map((overview) => [
    overview.state.record.name,
    whenTextOf(overview.state),
    nextText(overview),
    lastRunText(overview),
    stateText(overview),
  ]);
  const table = formatTable([['NAME', 'WHEN', 'NEXT OR DUE', 'LAST RUN', 'STATE'], ...rows]);
  const widest = Math.max(...table.split('\n').map(visibleWidth));
  return columns === undefined || widest <= columns ? table : stacked(rows);
}

function stacked(rows: readonly (readonly string[])[]): string {
  return rows
    .map(([name = '', when = '', next = '', last = '', state = '']) => {
      const times = [
        ...(next === '' ? [] : [`next ${next}`]),
        ...(last === '' ? [] : [`last ${last}`]),
      ];
      const details = [when, ...times].filter((part) => part !== '');
      return [`${pc.bold(name)}  ${state}`, ...details.map((part) => `  ${part}`)].join('\n');
    })
    .join('\n');
}

/** What it is in; of a flow that somebody keeps from running, also why: `paused: the shop is being moved, by ann`. */
function stateText(overview: FlowOverview): string {
  const state = formatCondition(overview);
  const condition = conditionOf(overview);
  const isTold = condition === 'paused' || (condition === 'disabled' && overview.state.record.note);
  const note = isTold ? oneLine(noteOf(overview), NOTE_WIDTH) : '';
  return note === '' ? state : `${state}: ${note}`;
}

/** In lists a note is cut to so many columns. */
const NOTE_WIDTH = 60;

/** `running 48 %`, in its colour. */
export function formatCondition(overview: FlowOverview): string {
  const condition = conditionOf(overview);
  const { fraction } = overview.progress ?? {};
  const share = condition === 'running' && fraction !== undefined;
  return COLOURS[condition](`${condition}${share ? ` ${formatFraction(fraction)}` : ''}`);
}

const COLOURS: Readonly<Record<FlowCondition, (text: string) => string>> = {
  orphan: pc.red,
  'configuration wrong': pc.red,
  running: pc.cyan,
  disabled: pc.yellow,
  paused: pc.yellow,
  enabled: pc.green,
};

/** When it is started by itself next: a time, or `now` for a flow that the next heartbeat starts. */
export function nextText(overview: FlowOverview): string {
  const next = nextOf(overview);
  return next instanceof Date ? formatTime(next) : (next ?? '');
}

/** `2026-11-21 11:49:12 success, 10,000 rows`. */
export function lastRunText({ state, lastRun }: FlowOverview): string {
  const { lastRunAt, lastRunStatus } = state.record;
  if (lastRun !== undefined) {
    const { startedAt, status } = lastRun;
    return `${formatTime(startedAt)} ${formatRunStatus(status)}, ${formatRows(lastRun)}`;
  }
  return lastRunAt === null || lastRunStatus === null
    ? ''
    : `${formatTime(lastRunAt)} ${formatRunStatus(lastRunStatus)}`;
}
