import type { Command } from 'commander';
import { NoDeadLetter, requeueDeadLetter } from '../../engine/dead-letters.js';
import { connectEngine } from '../../engine/create-engine.js';
import { parseRunId } from '../../engine/run-id.js';
import { EXIT, UsageError } from '../exit-code.js';
import { formatTable, formatTime, oneLine } from '../format.js';
import { projectDir, requireProject } from '../project.js';
import { connectForRuns, findRun } from '../runs.js';

interface DeadOptions {
  readonly dir?: string;
  readonly json: boolean;
}

const DIR = ['-d, --dir <dir>', "the project's folder (default: the working directory)"] as const;

/** Most dead letters that are listed. */
const LIMIT = 100;

/** Adds `tasks dead` and `tasks requeue`: what limits have set aside. */
export function addDeadLetterCommands(tasks: Command): void {
  tasks
    .command('dead [name]')
    .summary('list tasks that a limit has set aside, newest first')
    .description(
      'Lists tasks that a limit of their lifecycle has set aside, with the reason of each.',
    )
    .option('--json', 'print them as JSON', false)
    .option(...DIR)
    .action(async (name: string | undefined, options: DeadOptions) => list(name, options));
  tasks
    .command('requeue <id>')
    .summary('start a task again that a limit has set aside')
    .description(
      'Starts a task again that a limit has set aside, with its input and the template as it is now. However often, there is one run.',
    )
    .option(...DIR)
    .action(async (id: string, { dir }: { readonly dir?: string }) => {
      process.exitCode = await requeue(id, projectDir(dir));
    });
}

async function list(name: string | undefined, { dir, json }: DeadOptions): Promise<void> {
  const engine = await connectForRuns(projectDir(dir));
  try {
    const { executions } = await engine.list({
      kind: 'task',
      deadLetters: true,
      limit: LIMIT,
      ...(name !== undefined && { name }),
    });
    const rows = executions.map(({ id, startedAt, deadLetter }) => [
      id,
      formatTime(startedAt),
      oneLine(deadLetter ?? ''),
    ]);
    if (json) process.stdout.write(`${JSON.stringify(executions, undefined, 2)}\n`);
    else if (rows.length === 0)
      process.stdout.write(
        `There are no dead letters${name === undefined ? '' : ` of "${name}"`}.\n`,
      );
    else process.stdout.write(`${formatTable([['RUN', 'STARTED', 'REASON'], ...rows])}\n`);
  } finally {
    await engine.close();
  }
}

async function requeue(id: string, dir: string): Promise<number> {
  const engine = await connectEngine(await requireProject(dir), process.env);
  try {
    const found = await findRun(engine, dir, id);
    if (parseRunId(found.id)?.kind !== 'task') throw new UsageError(`${found.id} is no task.`);
    const run = await requeueDeadLetter(engine, found.name, found.executionId);
    process.stdout.write(`${run.id}\n`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof NoDeadLetter) throw new UsageError(error.message);
    throw error;
  } finally {
    await engine.close();
  }
}
