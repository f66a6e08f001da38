import type { Command } from 'commander';
import { relative, resolve } from 'node:path';
import { recordRun } from '../../engine/recording/record-run.js';
import { NotRecordable, RecordingExists } from '../../engine/recording/recording-errors.js';
import { TEST_RUNNERS, type TestRunner } from '../../engine/project/test-runner.js';
import { unknownName } from '../../src/definition/unknown-name.js';
import { UsageError } from '../exit-code.js';
import { projectDir } from '../project.js';
import { connectForRuns, findRun } from '../runs.js';

interface RecordOptions {
  readonly dir?: string;
  readonly out?: string;
  readonly runner?: string;
  readonly real: readonly string[];
  readonly force: boolean;
}

const EXAMPLES = `
The id is a whole one (pipeline/summarize/01J…) or its last part (01J…). The run has to be over, and to have completed or failed.

What the run was given and gave goes into a file of JSON beside the test: look through it for what should be in no repository.

Examples:
  $ millrace record 01JD3M2Z8Q4W6Y9T5R1K7P0XVB
  $ millrace record 01JD3M2Z8Q4W6Y9T5R1K7P0XVB --out test/large-order.test.ts --real count-words
`;

/** Adds `record`: a test of a run. */
export function addRecordCommand(program: Command): void {
  program
    .command('record <id>')
    .summary('make a test of a run: it is repeated with what its steps gave')
    .description(
      'Makes a test of a run of a pipeline or task: the test runs it again with what its operations or steps gave.',
    )
    .option('-o, --out <file>', "the test's file (default: test/<name>-<end of the id>.test.ts)")
    .option(
      '--runner <runner>',
      `${TEST_RUNNERS.join(', ')} (default: what package.json has, else node)`,
    )
    .option(
      '--real <name>',
      'an operation, step or handler that does its work in the test; may be repeated',
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .option('--force', 'replace files that are there', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, options: RecordOptions) => record(id, options));
}

async function record(id: string, options: RecordOptions): Promise<void> {
  const { out, real, force } = options;
  const dir = projectDir(options.dir);
  const runner = runnerOf(options.runner);
  const engine = await connectForRuns(dir);
  try {
    const run = await findRun(engine, dir, id);
    const { file, recordingFile } = await recordRun(engine, run.id, {
      dir,
      real,
      force,
      // A path on the command line begins where the person is.
      ...(out !== undefined && { file: resolve(out) }),
      ...(runner !== undefined && { runner }),
    });
    process.stdout.write(`${relative('.', file)}\n${relative('.', recordingFile)}\n`);
  } catch (error) {
    if (error instanceof NotRecordable || error instanceof RecordingExists)
      throw new UsageError(error.message);
    throw error;
  } finally {
    await engine.close();
  }
}

function runnerOf(written: string | undefined): TestRunner | undefined {
  if (written === undefined) return undefined;
  const runner = TEST_RUNNERS.find((known) => known === written);
  if (runner === undefined) throw new UsageError(unknownName(written, TEST_RUNNERS, 'runner'));
  return runner;
}
