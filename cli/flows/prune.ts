import type { Command } from 'commander';
import pc from 'picocolors';
import { FlowActive } from '../../engine/data-flow/flow-errors.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import { EXIT } from '../exit-code.js';
import { counted } from '../problem-report.js';
import { printJson } from './flow-json.js';
import { withFlows } from './open-flows.js';

interface PruneOptions {
  readonly dir?: string;
  readonly yes: boolean;
  readonly json: boolean;
}

const EXAMPLES = `
Orphans are flows of the catalog, and schedules, that the code in this folder does not have. With --yes their schedules,
settings and run histories are gone for good: look first whether another version of the code still has them.

Examples:
  $ millrace flows prune
  $ millrace flows prune --yes
`;

/** Adds `flows prune`: what no code has any more. */
export function addPruneCommand(flows: Command): void {
  flows
    .command('prune')
    .summary('list what is left over of flows that no code has any more; remove it with --yes')
    .description('Lists flows and schedules that no deployed code has; removes them with --yes.')
    .option('-y, --yes', 'remove them', false)
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (options: PruneOptions) => {
      process.exitCode = await withFlows(options.dir, ({ flows: open }) => prune(open, options));
    });
}

interface Orphan {
  readonly name: string;
  readonly removed: boolean;
  /** Why it could not be removed. */
  readonly problem?: string;
}

async function prune(flows: DataFlows, { yes, json }: PruneOptions): Promise<number> {
  const names = await flows.orphans();
  const orphans: Orphan[] = [];
  for (const name of names)
    orphans.push(yes ? await remove(flows, name) : { name, removed: false });
  if (json) printJson(orphans);
  else process.stdout.write(`${textOf(orphans, yes)}\n`);
  return orphans.some(({ problem }) => problem !== undefined) ? EXIT.failed : EXIT.ok;
}

/** One that cannot be removed keeps no other from being removed. */
async function remove(flows: DataFlows, name: string): Promise<Orphan> {
  try {
    await flows.prune(name);
    return { name, removed: true };
  } catch (error) {
    if (!(error instanceof FlowActive)) throw error;
    return { name, removed: false, problem: error.message };
  }
}

function textOf(orphans: readonly Orphan[], yes: boolean): string {
  if (orphans.length === 0) return 'There are no orphans: the code has every flow and schedule.';
  const lines = orphans.map(({ name, removed, problem }) =>
    problem === undefined
      ? `  ${removed ? pc.green('✓') : '·'} ${name}${removed ? '  removed' : ''}`
      : `  ${pc.red('✗')} ${name}  ${problem}`,
  );
  const hint = `${counted(orphans.length, 'orphan')}. Remove ${orphans.length === 1 ? 'it' : 'them'} with their schedules, settings and histories: millrace flows prune --yes`;
  return [...lines, ...(yes ? [] : [hint])].join('\n');
}
