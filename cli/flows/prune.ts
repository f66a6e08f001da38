import { InvalidArgumentError, type Command } from 'commander';
import pc from 'picocolors';
import { FlowActive, FlowNotRemoved } from '../../engine/data-flow/flow-errors.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import type { FlowLeftOver } from '../../engine/data-flow/left-over-flows.js';
import { durationMs } from '../../src/definition/duration.js';
import { EXIT, UsageError } from '../exit-code.js';
import { formatTime } from '../format.js';
import { counted } from '../problem-report.js';
import { printJson } from './flow-json.js';
import { withFlows } from './open-flows.js';

interface PruneOptions {
  readonly dir?: string;
  readonly yes: boolean;
  readonly force: boolean;
  /** Milliseconds. */
  readonly runsOlderThan?: number;
  readonly json: boolean;
}

const EXAMPLES = `
Orphans are flows of the catalog, and schedules, that no process has had for a quarter of an hour. With --yes their schedules,
settings and run histories are gone for good. What another version of the code has had since is listed with when that was, and
removed with --force only.

With --runs-older-than no flow is removed, but the runs that ended so long ago, with their rejected rows. Of each flow the latest
run stays, and the latest that succeeded.

Examples:
  $ millrace flows prune
  $ millrace flows prune --yes
  $ millrace flows prune --runs-older-than 90d --yes
`;

/** Adds `flows prune`: what no code has any more, and runs of long ago. */
export function addPruneCommand(flows: Command): void {
  flows
    .command('prune')
    .summary('list what is left over of flows that no code has any more; remove it with --yes')
    .description(
      'Lists flows and schedules that no deployed code has, or counts old runs; removes them with --yes.',
    )
    .option('-y, --yes', 'remove them', false)
    .option('--force', 'with --yes: also flows that other code has had a moment ago', false)
    .option('--runs-older-than <time>', 'runs that ended so long ago instead, such as 90d', agoOf)
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (options: PruneOptions) => {
      const { runsOlderThan, dir, force, yes } = options;
      if (force && (!yes || runsOlderThan !== undefined))
        throw new UsageError('--force removes flows that other code has. Say --yes --force.');
      process.exitCode = await withFlows(dir, ({ flows: open }) =>
        runsOlderThan === undefined
          ? prune(open, options)
          : trim(open, new Date(Date.now() - runsOlderThan), options),
      );
    });
}

interface LeftOver extends FlowLeftOver {
  readonly removed: boolean;
  /** Why it could not be removed. */
  readonly problem?: string;
}

async function prune(
  flows: DataFlows,
  { yes, force, json }: Pick<PruneOptions, 'yes' | 'force' | 'json'>,
): Promise<number> {
  const found: LeftOver[] = [];
  for (const one of await flows.orphans()) {
    const removes = yes && (one.isOrphaned || force);
    found.push(removes ? await remove(flows, one) : { ...one, removed: false });
  }
  if (json) printJson(found);
  else process.stdout.write(`${textOf(found, yes)}\n`);
  return found.some(({ problem }) => problem !== undefined) ? EXIT.failed : EXIT.ok;
}

/** One that cannot be removed keeps no other from being removed. */
async function remove(flows: DataFlows, one: FlowLeftOver): Promise<LeftOver> {
  try {
    await flows.prune(one.name);
    return { ...one, removed: true };
  } catch (error) {
    if (!(error instanceof FlowActive || error instanceof FlowNotRemoved)) throw error;
    return { ...one, removed: false, problem: error.message };
  }
}

function textOf(found: readonly LeftOver[], yes: boolean): string {
  if (found.length === 0) return 'There are no orphans: the code has every flow and schedule.';
  const lines = found.map(lineOf);
  const orphans = found.filter(({ isOrphaned }) => isOrphaned).length;
  const them = orphans === 1 ? 'it' : 'them';
  const hint = `${counted(orphans, 'orphan')}. Remove ${them} with their schedules, settings and histories: millrace flows prune --yes`;
  return [...lines, ...(yes || orphans === 0 ? [] : [hint])].join('\n');
}

function lineOf({ name, seenAt, isOrphaned, removed, problem }: LeftOver): string {
  if (problem !== undefined) return `  ${pc.red('✗')} ${name}  ${problem}`;
  if (removed) return `  ${pc.green('✓')} ${name}  removed`;
  const seen = isOrphaned || seenAt === null ? '' : `  ${keptText(seenAt)}`;
  return `  · ${name}${seen}`;
}

function keptText(seenAt: Date): string {
  return pc.dim(
    `last seen ${formatTime(seenAt)}: other code may have it, only --yes --force removes it`,
  );
}

async function trim(
  flows: DataFlows,
  before: Date,
  { yes, json }: Pick<PruneOptions, 'yes' | 'json'>,
): Promise<number> {
  const runs = yes ? await flows.trim(before) : await flows.catalog.trimmable(before);
  const ended = `${counted(runs, 'run')} that ended before ${formatTime(before)}`;
  if (json) printJson({ before, runs, removed: yes });
  else
    process.stdout.write(
      yes ? `Removed ${ended}.\n` : `${ended}. Remove ${runs === 1 ? 'it' : 'them'}: --yes\n`,
    );
  return EXIT.ok;
}

function agoOf(text: string): number {
  const hint = 'Write days or hours, such as 90d or 36h.';
  // A bare number would be milliseconds, which nobody means here.
  if (/^[\d.]+$/.test(text)) throw new InvalidArgumentError(hint);
  try {
    return durationMs(text);
  } catch {
    throw new InvalidArgumentError(hint);
  }
}
