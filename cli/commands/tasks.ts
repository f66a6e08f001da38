import type { Command } from 'commander';
import { addDeadLetterCommands } from '../tasks/dead-letters.js';
import { addGraphCommand } from '../tasks/graph.js';
import { addStepCommands } from '../tasks/steps.js';

const EXAMPLES = `
Tasks are started with \`millrace run\`, and listed, shown and cancelled with \`millrace list\`, \`show\` and \`cancel\`.

Examples:
  $ millrace tasks graph fulfil-order
  $ millrace tasks retry 01JD3M2Z8Q4W6Y9T5R1K7P0XVB charge_card
  $ millrace tasks resolve 01JD3M2Z8Q4W6Y9T5R1K7P0XVB charge_card --result '{"paid":true}' --reason "paid in cash"
  $ millrace tasks approve 01JD3M2Z8Q4W6Y9T5R1K7P0XVB check --result '{"by":"ada"}'
  $ millrace tasks dead
`;

/** Adds `tasks`: diagrams of tasks, and what people tell them of their steps. */
export function addTasksCommand(program: Command): void {
  const tasks = program
    .command('tasks')
    .summary('draw tasks, retry, resolve and approve their steps, requeue dead letters')
    .description(
      'Draws tasks, tells them what becomes of their steps, and starts those again that were set aside.',
    )
    .addHelpText('after', EXAMPLES);
  addGraphCommand(tasks);
  addStepCommands(tasks);
  addDeadLetterCommands(tasks);
}
