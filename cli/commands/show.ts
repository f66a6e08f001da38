import type { Command } from 'commander';
import pc from 'picocolors';
import type { ConnectedEngine } from '../../engine/create-engine.js';
import type { Execution } from '../../engine/execution.js';
import { stepsOf } from '../../src/progress/task-progress.js';
import { isClosed } from '../../src/progress/status.js';
import { usageByModel } from '../../src/progress/progress.js';
import { formatDuration, formatStatus, formatTable, formatTime, visibleWidth } from '../format.js';
import { projectDir } from '../project.js';
import { rowsOfProgress } from '../run/run-rows.js';
import { rowLine } from '../run/run-view.js';
import { rowsOfTask } from '../run/step-rows.js';
import { connectForRuns, findRun } from '../runs.js';

interface ShowOptions {
  readonly dir?: string;
  readonly json: boolean;
}

const EXAMPLES = `
The id is a whole one (pipeline/summarize/01J…) or its last part (01J…).

Examples:
  $ millrace show pipeline/summarize/01JD3M2Z8Q4W6Y9T5R1K7P0XVB
  $ millrace show 01JD3M2Z8Q4W6Y9T5R1K7P0XVB --json | jq .status
`;

/** Adds `show`: one run with its stages. */
export function addShowCommand(program: Command): void {
  program
    .command('show <id>')
    .summary('show one run: its stages or steps, times, attempts, tokens, failure')
    .description(
      'Shows one run: its stages or steps with times and attempts, the tokens it used, its result or failure.',
    )
    .option('--json', 'print it as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, options: ShowOptions) => show(id, options));
}

async function show(id: string, { dir, json }: ShowOptions): Promise<void> {
  const engine = await connectForRuns(projectDir(dir));
  try {
    const run = await findRun(engine, projectDir(dir), id);
    const execution = await run.describe();
    process.stdout.write(json ? jsonOf(engine, execution) : textOf(engine, execution));
  } finally {
    await engine.close();
  }
}

function jsonOf(engine: ConnectedEngine, { progress, ...execution }: Execution): string {
  // Of what both have, the description's times are texts like those that other tools print.
  const { plan: _, closedAt: _closedAt, task, ...folded } = progress ?? {};
  const steps = task === undefined ? {} : { steps: stepsOf(task) };
  const link = engine.uiLink(execution.id, execution.temporalRunId);
  const usage = progress === undefined ? [] : usageByModel(progress);
  return `${JSON.stringify({ ...folded, ...execution, ...steps, usage, ...(link !== undefined && { link }) }, undefined, 2)}\n`;
}

function textOf(engine: ConnectedEngine, execution: Execution): string {
  const { name, status, startedAt, completedAt, progress, failure, result } = execution;
  const took = formatDuration((completedAt?.getTime() ?? Date.now()) - startedAt.getTime());
  const rows =
    progress === undefined
      ? []
      : progress.task === undefined
        ? rowsOfProgress(progress)
        : rowsOfTask(progress.task);
  const width = Math.max(0, ...rows.map(({ label }) => visibleWidth(label)));
  return [
    `${pc.bold(name)}  ${formatStatus(status)}  ${pc.dim(`${completedAt === undefined ? 'for' : 'in'} ${took}`)}`,
    ...(rows.length === 0 ? [] : ['', ...rows.map((row) => rowLine(row, width, undefined, '…'))]),
    '',
    ...(failure === undefined ? [] : [`  ${pc.red(failure.type)}  ${failure.message}`, '']),
    ...(result === undefined ? [] : [indented(JSON.stringify(result, undefined, 2)), '']),
    formatTable(facts(engine, execution)),
    ...nextCommands(execution).map((command) => `  ${command}`),
    '',
  ].join('\n');
}

/** What a person can do about steps that wait for one. */
function nextCommands({ executionId, status, progress }: Execution): readonly string[] {
  if (progress?.task === undefined || isClosed(status)) return [];
  const waits = progress.task.plan.lifecycle.onError === 'wait';
  const commands = stepsOf(progress.task).flatMap(({ name, type, status: step }) => {
    if (type === 'approval' && step === 'in_progress') return [`approve ${executionId} ${name}`];
    return waits && step === 'error' ? [`retry ${executionId} ${name}`] : [];
  });
  return commands.length === 0
    ? []
    : ['', ...commands.slice(0, MAX_COMMANDS).map((command) => `millrace tasks ${command}`)];
}

/** Most commands that are shown below a run. */
const MAX_COMMANDS = 5;

function facts(engine: ConnectedEngine, execution: Execution): readonly (readonly string[])[] {
  const { id, temporalRunId, startedAt, completedAt, principal, progress } = execution;
  const link = engine.uiLink(id, temporalRunId);
  const usage = progress === undefined ? [] : usageByModel(progress);
  return [
    ['  id', id],
    ['  started', formatTime(startedAt)],
    ...(completedAt === undefined ? [] : [['  ended', formatTime(completedAt)]]),
    ...(principal === undefined ? [] : [['  by', principal]]),
    ...usage.map(({ model, inputTokens, outputTokens }) => [
      '  tokens',
      `${model}: ${inputTokens.toLocaleString('en')} in, ${outputTokens.toLocaleString('en')} out`,
    ]),
    ...(link === undefined ? [] : [['  Temporal', link]]),
  ].map(([head = '', ...rest]) => [pc.dim(head), ...rest]);
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
