import { InvalidArgumentError, type Command } from 'commander';
import { durationMs } from '../../src/definition/duration.js';
import type { Json, JsonObject } from '../../src/definition/json.js';
import { UsageError } from '../exit-code.js';
import { propertyOf } from '../run/run-input.js';
import { flowJson, printJson } from './flow-json.js';
import { overviewOf } from './flow-overview.js';
import { withFlows } from './open-flows.js';
import { showText } from './show.js';

interface SetOptions {
  readonly dir?: string;
  readonly enabled?: boolean;
  /** Seconds. */
  readonly interval?: number;
  readonly set: readonly string[];
  readonly unset: readonly string[];
  readonly json: boolean;
}

const EXAMPLES = `
What is set stays when the code is deployed anew. A value is read as JSON, and as a text where it is none or where the
configuration has a text there.

Examples:
  $ millrace flows set import-orders --no-enabled
  $ millrace flows set import-orders --interval 15m
  $ millrace flows set import-orders --set region=eu --set limit=500
  $ millrace flows set import-orders --unset limit
`;

/** Adds `flows set`: changes what operators may change of a flow. */
export function addSetCommand(flows: Command): void {
  flows
    .command('set <name>')
    .summary('change whether, how often and with what configuration a data flow runs')
    .description(
      'Changes of a data flow what operators may change: enabled, interval, configuration.',
    )
    .option('--enabled', 'have it be started by itself')
    .option('--no-enabled', 'keep it from being started by itself')
    .option('--interval <duration>', 'time between runs, such as 90s, 15m or 2h', secondsOf)
    .option(
      '-s, --set <key=value>',
      'sets one value of the configuration; may be repeated',
      collect,
      [],
    )
    .option('--unset <key>', 'gives one value its default again; may be repeated', collect, [])
    .option('--json', 'print the flow as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: SetOptions) => set(name, options));
}

async function set(name: string, options: SetOptions): Promise<void> {
  const { dir, enabled, interval, set: assignments, unset, json } = options;
  if (enabled === undefined && interval === undefined && assignments.length + unset.length === 0) {
    throw new UsageError(
      'Say what to set: --enabled, --no-enabled, --interval 15m, --set key=value or --unset key.',
    );
  }
  const overview = await withFlows(dir, async (open) => {
    const { definition } = await open.flows.show(name);
    const configuration = configurationOf(options, definition?.configurationSchema ?? {});
    const state = await open.flows.change(name, {
      ...(enabled !== undefined && { enabled }),
      ...(interval !== undefined && { run_interval: interval }),
      ...(Object.keys(configuration).length > 0 && { configuration }),
    });
    return overviewOf(open, state);
  });
  if (json) printJson(flowJson(overview));
  else process.stdout.write(showText(overview));
}

/** What is null goes back to its default. */
function configurationOf({ set: assignments, unset }: SetOptions, schema: JsonObject): JsonObject {
  return Object.fromEntries([
    ...unset.map((key): readonly [string, Json] => [key, null]),
    ...assignments.map((assignment) => propertyOf(assignment, schema)),
  ]);
}

function secondsOf(text: string): number {
  const hint = 'Write whole seconds, minutes or hours, such as 90s, 15m or 2h.';
  // A bare number would be milliseconds, which nobody means here.
  if (/^[\d.]+$/.test(text)) throw new InvalidArgumentError(hint);
  let seconds: number;
  try {
    seconds = durationMs(text) / 1_000;
  } catch {
    throw new InvalidArgumentError(hint);
  }
  if (!Number.isInteger(seconds)) throw new InvalidArgumentError(hint);
  return seconds;
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
