import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import { formatTime } from '../format.js';
import { flowJson, printJson } from './flow-json.js';
import { conditionOf, nextOf, overviewOf } from './flow-overview.js';
import { nextText } from './list.js';
import { withFlows } from './open-flows.js';

interface SteerOptions {
  readonly dir?: string;
  readonly note?: string;
  readonly json: boolean;
}

const DIR_OPTION = "the project's folder (default: the working directory)";

/** Adds `flows pause` and `flows resume`. */
export function addPauseCommands(flows: Command): void {
  addSteerCommand(flows, 'pause', {
    summary: 'keep a data flow from being started by itself',
    description:
      'Keeps a data flow from being started by itself until it is resumed. A run that goes on is not touched, and `millrace flows run` starts it all the same.',
    note: 'why: `flows list` and `flows show` tell it',
  });
  addSteerCommand(flows, 'resume', {
    summary: 'have a data flow be started by itself again',
    description: 'Has a data flow be started by itself again, whether it was paused or disabled.',
    note: 'why: `flows show` tells it of a flow that has a schedule',
  });
}

function addSteerCommand(
  flows: Command,
  verb: 'pause' | 'resume',
  texts: { readonly summary: string; readonly description: string; readonly note: string },
): void {
  flows
    .command(`${verb} <name>`)
    .summary(texts.summary)
    .description(texts.description)
    .option('--note <text>', texts.note)
    .option('--json', 'print the flow as JSON', false)
    .option('-d, --dir <dir>', DIR_OPTION)
    .addHelpText(
      'after',
      `\nExamples:\n  $ millrace flows ${verb} import-orders --note "the shop is being moved"\n`,
    )
    .action(async (name: string, options: SteerOptions) => steer(verb, name, options));
}

async function steer(
  verb: 'pause' | 'resume',
  name: string,
  { dir, note, json }: SteerOptions,
): Promise<void> {
  const by = `by ${userName()} (millrace flows ${verb})`;
  const overview = await withFlows(dir, async (open) => {
    const state = await open.flows[verb](name, note === undefined ? by : `${note}, ${by}`);
    return overviewOf(open, state);
  });
  if (json) {
    printJson(flowJson(overview));
    return;
  }
  const condition = conditionOf(overview);
  const running = overview.activeRun === undefined ? '' : ' A run of it goes on.';
  if (verb === 'pause') {
    const now = condition === 'running' ? 'paused' : condition;
    process.stdout.write(`${name} is ${now}: nothing starts it by itself.${running}\n`);
  } else {
    const next = nextOf(overview);
    const when = next === undefined ? '' : ` Next: ${nextText(overview)}.`;
    process.stdout.write(`${name} is enabled.${when}${running}\n`);
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return 'an operator';
  }
}

interface BackfillOptions {
  readonly dir?: string;
  readonly from: Date;
  readonly to: Date;
}

const BACKFILL_EXAMPLES = `
Times without a zone are local. Each scheduled time of the range starts a run, which gets that time as scheduledAt, one
run after the other.

Examples:
  $ millrace flows backfill import-orders --from 2026-11-01 --to 2026-11-08
  $ millrace flows backfill import-orders --from 2026-11-01T12:00Z --to 2026-11-01T18:00Z
`;

/** Adds `flows backfill`: runs scheduled times of the past again. */
export function addBackfillCommand(flows: Command): void {
  flows
    .command('backfill <name>')
    .summary('run the scheduled times of a range again')
    .description('Runs the scheduled times of a range again: of flows with an interval or a cron.')
    .requiredOption('--from <time>', 'where the range begins, such as 2026-11-01', timeOf)
    .requiredOption('--to <time>', 'where it ends, itself included', timeOf)
    .option('-d, --dir <dir>', DIR_OPTION)
    .addHelpText('after', BACKFILL_EXAMPLES)
    .action(async (name: string, { dir, from, to }: BackfillOptions) => {
      const range = { start: from.toISOString(), end: to.toISOString() };
      await withFlows(dir, async ({ flows: open }) => open.backfill(name, range));
      process.stdout.write(
        `${name} runs its times from ${formatTime(from)} to ${formatTime(to)} again, one after the other.\nWatch them: millrace flows runs ${name}\n`,
      );
    });
}

/** A time as a person writes it. Days begin at the machine's own midnight. */
function timeOf(text: string): Date {
  const time = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Write a time such as 2026-11-01 or 2026-11-01T12:00.');
}
