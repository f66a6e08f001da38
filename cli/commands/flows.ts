import type { Command } from 'commander';
import { addRejectionsCommand, addRunsCommand } from '../flows/history.js';
import { addListCommand } from '../flows/list.js';
import { addPruneCommand } from '../flows/prune.js';
import { addResetCommand } from '../flows/reset.js';
import { addRunCommand } from '../flows/run.js';
import { addSetCommand } from '../flows/set.js';
import { addShowCommand } from '../flows/show.js';
import { addBackfillCommand, addPauseCommands } from '../flows/steer.js';

const EXAMPLES = `
Uses the project's Temporal server and its catalog. Workers (\`millrace worker\`, \`millrace dev\`) move the rows.

Examples:
  $ millrace flows list
  $ millrace flows run import-orders
  $ millrace flows runs import-orders --status failed
`;

/** Adds `flows`: everything about data flows. */
export function addFlowsCommand(program: Command): void {
  const flows = program
    .command('flows')
    .summary('list, run and steer data flows')
    .description('Lists, runs and steers the data flows of the project.')
    .addHelpText('after', EXAMPLES);
  addListCommand(flows);
  addShowCommand(flows);
  addRunCommand(flows);
  addPauseCommands(flows);
  addBackfillCommand(flows);
  addRunsCommand(flows);
  addRejectionsCommand(flows);
  addSetCommand(flows);
  addResetCommand(flows);
  addPruneCommand(flows);
}
