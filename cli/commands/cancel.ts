import type { Command } from 'commander';
import { isClosed } from '../../src/progress/status.js';
import { EXIT } from '../exit-code.js';
import { projectDir } from '../project.js';
import { connectForRuns, findCancellable } from '../runs.js';

const EXAMPLES = `
Operations in progress are told by their signal; the run's status becomes "cancelled" when they have ended.

Examples:
  $ millrace cancel 01JD3M2Z8Q4W6Y9T5R1K7P0XVB
  $ millrace cancel millrace/refresh/millrace/01JD3M2Z8Q4W6Y9T5R1K7P0XVB   several runs that were started together
`;

/** Adds `cancel`: asks a run to end. */
export function addCancelCommand(program: Command): void {
  program
    .command('cancel <id>')
    .summary('ask a run to end')
    .description('Asks a run to end. Exits with 1 when it is over already.')
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, { dir }: { readonly dir?: string }) => {
      process.exitCode = await cancel(id, projectDir(dir));
    });
}

async function cancel(id: string, dir: string): Promise<number> {
  const engine = await connectForRuns(dir);
  try {
    const run = await findCancellable(engine, dir, id);
    const status = await run.status();
    if (isClosed(status)) {
      process.stderr.write(`${run.id} is over already: ${status}.\n`);
      return EXIT.failed;
    }
    await run.cancel();
    process.stdout.write(`${run.id} was asked to end.\n`);
    return EXIT.ok;
  } finally {
    await engine.close();
  }
}
