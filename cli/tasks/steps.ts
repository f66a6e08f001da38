import type { Command } from 'commander';
import { userInfo } from 'node:os';
import { StepRefused } from '../../engine/step-request.js';
import type { Json } from '../../src/definition/json.js';
import { ContractViolation } from '../../src/contract/violation.js';
import { isSteering, type Steering } from '../../src/task/step-steering.js';
import type { StepSignal } from '../../src/task/step-signal.js';
import { UsageError } from '../exit-code.js';
import { projectDir } from '../project.js';
import { connectForRuns, findRun } from '../runs.js';

interface StepOptions {
  readonly dir?: string;
  readonly result?: string;
  readonly reason?: string;
  readonly branches?: string;
  readonly ranges?: string;
}

const DIR = ['-d, --dir <dir>', "the project's folder (default: the working directory)"] as const;

/** Adds what a person tells a task of its steps: `tasks retry`, `resolve`, `approve` and `reject`. */
export function addStepCommands(tasks: Command): void {
  tasks
    .command('retry <id> <step>')
    .summary('have a step that has failed begin again')
    .description('Has a step that has failed begin again, in a task that waits for that.')
    .option(...DIR)
    .action(async (id: string, step: string, options: StepOptions) =>
      tell(id, options, { kind: 'retry', step }),
    );
  tasks
    .command('resolve <id> <step>')
    .summary('say what is taken for the result of a step that has failed')
    .description('Says what is taken for the result of a step that has failed, and why.')
    .requiredOption('--result <json>', 'what is taken for its result')
    .requiredOption('--reason <text>', 'why; kept with the run')
    .option('--branches <names>', 'of a decision: the steps that come next, as a,b, or none: ""')
    .option('--ranges <json>', 'of a batchable step: [{"start":0,"end":100}]')
    .option(...DIR)
    .action(async (id: string, step: string, options: StepOptions) =>
      tell(id, options, {
        kind: 'resolve',
        step,
        result: readJson('--result', options.result),
        reason: options.reason ?? '',
        ...readSteering(options),
      }),
    );
  tasks
    .command('approve <id> <step>')
    .summary('answer a step that waits for approval')
    .description('Answers a step that waits for approval; it is complete then.')
    .option('--result <json>', 'what its result is')
    .option(...DIR)
    .action(async (id: string, step: string, options: StepOptions) =>
      tell(id, options, {
        kind: 'answer',
        step,
        approved: true,
        result: readJson('--result', options.result),
      }),
    );
  tasks
    .command('reject <id> <step>')
    .summary('answer a step that waits for approval with no')
    .description('Answers a step that waits for approval with no; it has failed then.')
    .option('--reason <text>', 'why; kept with the run')
    .option(...DIR)
    .action(async (id: string, step: string, options: StepOptions) =>
      tell(id, options, { kind: 'answer', step, approved: false, result: options.reason ?? null }),
    );
}

async function tell(id: string, { dir }: StepOptions, signal: StepSignal): Promise<void> {
  const engine = await connectForRuns(projectDir(dir));
  try {
    const run = await findRun(engine, projectDir(dir), id);
    await run.tellStep({ ...signal, by: userInfo().username });
    process.stdout.write(
      `${run.id}  ${signal.step}: told. Look at it: millrace show ${run.executionId}\n`,
    );
  } catch (error) {
    if (error instanceof StepRefused || error instanceof ContractViolation)
      throw new UsageError(error.message);
    throw error;
  } finally {
    await engine.close();
  }
}

function readSteering({ branches, ranges }: StepOptions): Steering {
  const names = branches?.split(',').map((name) => name.trim());
  const steering = {
    ...(names !== undefined && { branches: names.filter((name) => name !== '') }),
    ...(ranges !== undefined && { ranges: readJson('--ranges', ranges) }),
  };
  if (isSteering(steering)) return steering;
  throw new UsageError(
    '--ranges must be a list such as [{"start":0,"end":100},{"start":100,"end":200}].',
  );
}

function readJson(option: string, text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${option} is no JSON: ${why}. A text is written with quotes: '"by hand"'.`,
    );
  }
}
