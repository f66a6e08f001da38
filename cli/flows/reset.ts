import { createInterface } from 'node:readline/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { FlowActive } from '../../engine/data-flow/flow-errors.js';
import type { DataFlows } from '../../engine/data-flow/data-flows.js';
import type { Json } from '../../src/definition/json.js';
import { EXIT, UsageError } from '../exit-code.js';
import { withFlows } from './open-flows.js';

interface ResetOptions {
  readonly dir?: string;
  readonly cursor: Json;
  readonly yes: boolean;
}

const EXAMPLES = `
The next run reads everything again. A sink with keys finds that it has the rows; one without keys gets them twice.

Examples:
  $ millrace flows reset import-orders
  $ millrace flows reset import-orders --cursor '{"id":4711}' --yes
`;

/** Adds `flows reset`: moves a flow's cursor by hand. */
export function addResetCommand(flows: Command): void {
  flows
    .command('reset <name>')
    .summary('move the cursor of a data flow back to the beginning')
    .description('Moves the cursor of a data flow: back to the beginning, or to one that is given.')
    .option('--cursor <json>', 'move it here (default: to the beginning)', jsonOf, null)
    .option('-y, --yes', 'do not ask', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: ResetOptions) => {
      process.exitCode = await withFlows(options.dir, ({ flows: open }) =>
        reset(open, name, options),
      );
    });
}

async function reset(flows: DataFlows, name: string, options: ResetOptions): Promise<number> {
  const { cursor, yes } = options;
  const { record } = await flows.show(name);
  await refuseWhileActive(flows, name);
  const to = cursor === null ? 'to the beginning' : `to ${JSON.stringify(cursor)}`;
  const from = record.cursor === null ? 'the beginning' : JSON.stringify(record.cursor);
  if (!yes && !(await confirmed(`Move the cursor of ${name} from ${from} ${to}? [y/N] `))) {
    process.stdout.write('Nothing was changed.\n');
    return EXIT.failed;
  }
  await flows.reset(name, cursor);
  process.stdout.write(
    `${name} goes on ${to === 'to the beginning' ? 'at the beginning' : `at ${JSON.stringify(cursor)}`} with its next run.\n`,
  );
  return EXIT.ok;
}

/** Before anybody is asked. */
async function refuseWhileActive(flows: DataFlows, name: string): Promise<void> {
  const [last] = await flows.runs(name, { limit: 1 });
  if (last?.endedAt === null) throw new FlowActive(last);
}

/** @throws {@link UsageError} where there is nobody to ask */
async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError('There is no terminal to ask on. Say --yes.');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}

function jsonOf(text: string): Json {
  try {
    // What JSON.parse gives is JSON.
    return JSON.parse(text) as Json;
  } catch {
    throw new InvalidArgumentError('Write JSON, as `millrace flows show` prints the cursor.');
  }
}
