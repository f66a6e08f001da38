import { InvalidArgumentError, type Command } from 'commander';
import pc from 'picocolors';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { Json } from '../../src/definition/json.js';
import { formatDuration, formatTable, formatTime, oneLine } from '../format.js';
import { flowJson, printJson } from './flow-json.js';
import { noteOf, overviewOf, whenTextOf, type FlowOverview } from './flow-overview.js';
import { formatOutcomes } from './flow-format.js';
import { wayOf } from './flow-way.js';
import { formatCondition, lastRunText, nextText } from './list.js';
import { withFlows } from './open-flows.js';
import { failureText } from './run-text.js';

interface ShowOptions {
  readonly dir?: string;
  readonly next: number;
  readonly json: boolean;
}

/** Of its next times are shown so many unless more are asked for, and are known at most so many. */
const SHOWN_TIMES = 3;
const KNOWN_TIMES = 10;

const EXAMPLES = `
Examples:
  $ millrace flows show import-orders
  $ millrace flows show import-orders --next 10
  $ millrace flows show import-orders --json | jq .configuration
`;

/** Adds `flows show`: one flow with its settings. */
export function addShowCommand(flows: Command): void {
  flows
    .command('show <name>')
    .summary('show one data flow: schedule, configuration, cursor, last run')
    .description('Shows one data flow: when it runs, its configuration and cursor, its last run.')
    .option(
      '--next <n>',
      `show so many of its next times, 1 to ${String(KNOWN_TIMES)}; --json has them all`,
      timesOf,
      SHOWN_TIMES,
    )
    .option('--json', 'print it as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, { dir, next, json }: ShowOptions) => {
      const overview = await withFlows(dir, async (open) =>
        overviewOf(open, await open.flows.show(name)),
      );
      if (json) printJson(flowJson(overview));
      else process.stdout.write(showText(overview, next));
    });
}

function timesOf(text: string): number {
  const times = Number(text);
  if (Number.isInteger(times) && times >= 1 && times <= KNOWN_TIMES) return times;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${String(KNOWN_TIMES)}.`);
}

/**
 * A flow as a person reads it.
 *
 * @param times - so many of its next times
 */
export function showText(overview: FlowOverview, times = SHOWN_TIMES): string {
  const { state, lastRun } = overview;
  const { record, configurationProblems } = state;
  const { name, description } = record;
  const failed = lastRun?.status === 'failed' ? [`  ${failureText(lastRun)}`, ''] : [];
  return [
    `${pc.bold(name)}  ${formatCondition(overview)}`,
    ...(description === null ? [] : [`  ${description}`]),
    '',
    formatTable(facts(overview, times).map(([head, value]) => [pc.dim(`  ${head}`), value])),
    '',
    ...configurationProblems.map(({ message }) => `  ${pc.red('configuration')}  ${message}.`),
    ...(configurationProblems.length === 0
      ? []
      : [`  Change it: millrace flows set ${name} --set key=value`, '']),
    ...failed,
  ].join('\n');
}

function facts(overview: FlowOverview, times: number): readonly (readonly [string, string])[] {
  const { state, schedule, lastRun, activeRun } = overview;
  const { record, definition } = state;
  const next = schedule?.next.slice(0, times).map(formatTime) ?? [];
  const outcomes = lastRun === undefined ? '' : formatOutcomes(lastRun.counts);
  const all: readonly (readonly [string, string | undefined])[] = [
    ['when', whenTextOf(state)],
    ...nextFacts(nextText(overview), next),
    ['note', oneLine(noteOf(overview))],
    ['active', activeRun && `run ${String(activeRun.runSeq)}, ${activeRun.status}`],
    ['last run', lastRun ? `${String(lastRun.runSeq)}: ${lastRunText(overview)}` : 'never'],
    ['', outcomes],
    ['moves', definition && movesText(definition)],
    ['timeout', definition && formatDuration(definition.timeoutMs)],
    ['cursor', record.cursor === null ? 'at the beginning' : JSON.stringify(record.cursor)],
    ...configurationFacts(record.configuration, definition?.defaults ?? {}),
    ['defined', definition?.site && `${definition.site.file}:${String(definition.site.line ?? 1)}`],
  ];
  return all.flatMap(([head, value]) =>
    value === undefined || value === '' ? [] : [[head, value] as const],
  );
}

/** A few times are a line; more of them are one each. Nothing where nothing starts it. */
function nextFacts(
  first: string,
  times: readonly string[],
): readonly (readonly [string, string])[] {
  if (first === '') return [];
  if (times.length <= SHOWN_TIMES) return [['next', times.join(', ') || first]];
  return times.map((time, at) => [at === 0 ? 'next' : '', time]);
}

/** `csv › sql, in batches of 200, at most 100 rejected`. */
function movesText(definition: CompiledDataFlow): string {
  const { work } = definition;
  if (work.kind === 'body') return 'by a run of its own';
  const { batchSize, maxRejected } = work;
  const batches = `in batches of ${String(batchSize)}, at most ${String(maxRejected)} rejected`;
  const way = wayOf(definition);
  return way === undefined ? batches : `${way}, ${batches}`;
}

function configurationFacts(
  configuration: Readonly<Record<string, Json>>,
  defaults: Readonly<Record<string, Json>>,
): readonly (readonly [string, string])[] {
  return Object.entries(configuration).map(([name, value], at) => {
    const text = JSON.stringify(value);
    const changed = name in defaults && JSON.stringify(defaults[name]) !== text;
    const was = changed ? pc.dim(`  (the code says ${JSON.stringify(defaults[name])})`) : '';
    return [at === 0 ? 'configuration' : '', `${name} = ${text}${was}`];
  });
}
