import { InvalidArgumentError, Option, type Command } from 'commander';
import { MAX_PAGE, type ExecutionSummary } from '../../engine/execution-list.js';
import { RUN_KINDS } from '../../engine/run-id.js';
import { EXECUTION_STATUSES, type ExecutionStatus } from '../../src/progress/status.js';
import { formatDuration, formatStatus, formatTable, formatTime } from '../format.js';
import { projectDir } from '../project.js';
import { connectForRuns } from '../runs.js';

interface ListOptions {
  readonly dir?: string;
  readonly status?: ExecutionStatus;
  readonly limit: number;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  $ millrace list
  $ millrace list summarize --status failed --limit 5
  $ millrace list --json | jq -r '.[].id'
`;

/** Adds `list`: the runs there are, newest first. */
export function addListCommand(program: Command): void {
  program
    .command('list [name]')
    .summary('list runs, newest first')
    .description(
      'Lists runs, newest first: all, or those of one pipeline, task, workflow, data flow, record pipeline or attribute.',
    )
    .addOption(
      new Option('--status <status>', 'only runs with this status').choices(EXECUTION_STATUSES),
    )
    .option('--limit <n>', `at most so many, 1 to ${String(MAX_PAGE)}`, limitOf, 20)
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string | undefined, options: ListOptions) => list(name, options));
}

async function list(
  name: string | undefined,
  { dir, status, limit, json }: ListOptions,
): Promise<void> {
  const engine = await connectForRuns(projectDir(dir));
  try {
    const request = {
      limit,
      ...(name !== undefined && { name }),
      ...(status !== undefined && { status }),
    };
    const pages = await Promise.all(RUN_KINDS.map((kind) => engine.list({ kind, ...request })));
    const runs = pages
      .flatMap(({ executions }) => executions)
      .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
      .slice(0, limit);
    process.stdout.write(json ? `${JSON.stringify(runs, undefined, 2)}\n` : `${table(runs)}\n`);
  } finally {
    await engine.close();
  }
}

function table(runs: readonly ExecutionSummary[]): string {
  if (runs.length === 0) return 'There are no such runs.';
  const rows = runs.map(({ id, status, startedAt, completedAt }) => [
    id,
    formatStatus(status),
    formatTime(startedAt),
    completedAt === undefined ? '' : formatDuration(completedAt.getTime() - startedAt.getTime()),
  ]);
  return formatTable([['RUN', 'STATUS', 'STARTED', 'TOOK'], ...rows]);
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${String(MAX_PAGE)}.`);
}
