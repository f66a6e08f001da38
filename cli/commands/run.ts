import type { Command } from 'commander';
import pc from 'picocolors';
import { connectEngine, type ConnectedEngine } from '../../engine/create-engine.js';
import { DuplicateTask, IdentityKeyMissing, RunFailed } from '../../engine/errors.js';
import type { Definition } from '../../engine/registry.js';
import type { Run } from '../../engine/run.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { EXIT, UsageError } from '../exit-code.js';
import { onInterruption } from '../interruption.js';
import { projectDir, requireProject } from '../project.js';
import { readInput } from '../run/run-input.js';
import { RunRows, type RowSource } from '../run/run-rows.js';
import { runView } from '../run/run-view.js';
import { StepRows } from '../run/step-rows.js';

interface RunOptions {
  readonly dir?: string;
  readonly input?: string;
  readonly text?: string;
  readonly set: readonly string[];
  readonly key?: string;
  readonly identity?: string;
  readonly detach: boolean;
}

const EXAMPLES = `
The input is a JSON object. A file that holds no JSON object, such as a document, becomes the pipeline's one
required property, where that is a string: { "text": <the file> }. --text gives that property on the command line.

Progress goes to standard error, the result as JSON to standard output. Ctrl-C leaves; the run goes on.

Examples:
  $ millrace run summarize --input documents/constitution.txt
  $ millrace run word-report --text "one two three"
  $ millrace run search --set words=millrace --set limit=5
  $ echo '{"text":"one two"}' | millrace run word-report --input - | jq .words
  $ millrace run summarize --input documents/constitution.txt --detach
`;

/** Adds `run`: starts a run, shows how it goes and prints its result. */
export function addRunCommand(program: Command): void {
  program
    .command('run <name>')
    .summary('run a pipeline, task or workflow and print its result')
    .description(
      'Runs a pipeline, task or workflow of the project, shows how it goes and prints its result.',
    )
    .option('-i, --input <file>', 'the input: a JSON file, a document, or - for standard input')
    .option('-t, --text <text>', "the text of the pipeline's one required property")
    .option('-s, --set <key=value>', 'sets one property of the input; may be repeated', collect, [])
    .option('--key <key>', 'idempotency key: the same key and input start one run, however often')
    .option(
      '--identity <key>',
      'which task this is, where its callers say so: there is one for each key',
    )
    .option('--detach', 'print the id of the run and do not wait for it', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: RunOptions) => {
      process.exitCode = await run(name, options);
    });
}

async function run(name: string, options: RunOptions): Promise<number> {
  const project = await requireProject(projectDir(options.dir));
  const definition = project.registry.definitions.get(name);
  if (definition === undefined) {
    if (project.registry.dataFlows.has(name))
      throw new UsageError(`"${name}" is a data flow. Run it: millrace flows run ${name}`);
    throw new UsageError(
      `There is no pipeline, task or workflow "${name}".${suggestion(name, [...project.registry.definitions.keys()])}`,
    );
  }
  const input = await readInput(options, definition);
  const engine = await connectEngine(project, process.env);
  try {
    const { key, identity } = options;
    const started = await engine
      .start(name, input, {
        ...(key !== undefined && { idempotencyKey: key }),
        ...(identity !== undefined && { identityKey: identity }),
      })
      .catch((error: unknown) => {
        throw identityError(error);
      });
    if (options.detach) {
      process.stdout.write(`${started.id}\n`);
      return EXIT.ok;
    }
    return await follow(engine, definition, started);
  } finally {
    await engine.close();
  }
}

/** What is wrong with which task this is, in the words of the command line; any other error as it is. */
function identityError(error: unknown): unknown {
  if (error instanceof DuplicateTask) {
    const { definition, executionId: id } = error;
    return new UsageError(
      `Task "${definition}" was started before, as ${id}. Look at it: millrace show ${id}. With --key KEY, that run is the answer.`,
    );
  }
  if (!(error instanceof IdentityKeyMissing)) return error;
  return new UsageError(
    `Task "${error.definition}" has identity_strategy: caller_provided. Say which one this is: --identity KEY.`,
  );
}

/** Shows the run until it is over, or until the person has seen enough. */
async function follow(
  engine: ConnectedEngine,
  definition: Definition,
  started: Run,
): Promise<number> {
  const interruption = onInterruption();
  const rows: RowSource =
    definition.kind === 'task' ? new StepRows(definition.plan) : new RunRows(definition);
  const view = runView(
    process.stderr,
    rows.rows.map(({ label }) => label),
  );
  try {
    for await (const event of started.events({ hints: true, signal: interruption.signal })) {
      rows.take(event);
      view.show(rows.rows);
    }
  } finally {
    view.end();
    interruption.dispose();
  }
  if (interruption.signal.aborted) {
    process.stderr.write(
      `The run goes on. Look at it: millrace show ${started.executionId}   Cancel it: millrace cancel ${started.executionId}\n`,
    );
    return interruption.exitCode;
  }
  return await printOutcome(engine, started);
}

async function printOutcome(engine: ConnectedEngine, started: Run): Promise<number> {
  const link = engine.uiLink(started.id);
  const place = `  ${pc.dim([started.id, ...(link === undefined ? [] : [link])].join('   '))}\n`;
  try {
    const result = await started.result();
    process.stdout.write(
      `${JSON.stringify(result, undefined, process.stdout.isTTY ? 2 : undefined)}\n`,
    );
    process.stderr.write(place);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    const { failure, status } = error;
    // The message of a task names its step.
    const where = [failure.stage, failure.operation]
      .filter((part) => part !== undefined)
      .join(' › ');
    process.stderr.write(
      `${pc.red(status)}  ${where === '' ? '' : `${where}: `}${failure.type}: ${error.message}\n${place}`,
    );
    return EXIT.failed;
  }
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
