#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { VERSION } from '../src/version.js';
import { errorReport } from './error-report.js';
import { EXIT } from './exit-code.js';

/** Adds a command to the program. */
type AddCommand = (program: Command) => void;

/** Loaded when they are asked for: together they take a second. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  install: async () => (await import('./commands/install.js')).addInstallCommand,
  generate: async () => (await import('./commands/generate.js')).addGenerateCommand,
  dev: async () => (await import('./commands/dev.js')).addDevCommand,
  server: async () => (await import('./commands/server.js')).addServerCommand,
  worker: async () => (await import('./commands/worker.js')).addWorkerCommand,
  check: async () => (await import('./commands/check.js')).addCheckCommand,
  run: async () => (await import('./commands/run.js')).addRunCommand,
  tasks: async () => (await import('./commands/tasks.js')).addTasksCommand,
  flows: async () => (await import('./commands/flows.js')).addFlowsCommand,
  records: async () => (await import('./commands/records.js')).addRecordsCommand,
  attributes: async () => (await import('./commands/attributes.js')).addAttributesCommand,
  config: async () => (await import('./commands/config.js')).addConfigCommand,
  list: async () => (await import('./commands/list.js')).addListCommand,
  show: async () => (await import('./commands/show.js')).addShowCommand,
  cancel: async () => (await import('./commands/cancel.js')).addCancelCommand,
  record: async () => (await import('./commands/record.js')).addRecordCommand,
  template: async () => (await import('./commands/template.js')).addTemplateCommand,
  plugin: async () => (await import('./commands/plugin.js')).addPluginCommand,
};

/** Asking for the version needs none of them. */
const VERSION_OPTIONS: readonly string[] = ['-V', '--version'];

/** What still keeps the process from ending so long after its command, such as a thread that hangs, has no claim to. */
const LINGER_MS = 2_000;

const HELP = `
Examples:
  $ millrace install                                  set up a project in this folder
  $ millrace generate operation CountWords            code and a test to begin with
  $ millrace dev                                      everything in one process, for development
  $ millrace run summarize --input documents/constitution.txt
  $ millrace tasks graph fulfil-order                 a task as a diagram
  $ millrace flows run import-orders                  a data flow
  $ millrace records run onboarding                   a record pipeline
  $ millrace attributes run product.area              an attribute of all products
  $ millrace list --status failed
  $ millrace show 01JD3M2Z8Q4W6Y9T5R1K7P0XVB
  $ millrace record 01JD3M2Z8Q4W6Y9T5R1K7P0XVB         a test of a run

Environment:
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…, TEMPORAL_PROFILE
                          the Temporal server; else temporal.toml, else that of the running \`millrace dev\`
  MILLRACE_PORT           HTTP port of dev and server
  MILLRACE_WORKER_ENABLED true: server runs a worker, too
  MILLRACE_WORKER_PORT    port on which worker answers probes
  MILLRACE_ENV            which of config/millrace/environments/ holds; NODE_ENV unless set
  MILLRACE_CONFIG_PATH    the folder of TOML files; config/millrace unless set
  MILLRACE_LOG_LEVEL      trace, debug, info, warn, error or silent
  MILLRACE_TEMPORAL_CLI   the Temporal CLI to use, and no other
  MILLRACE_TEMPORAL_UI    address of the Temporal UI, for links
  NO_COLOR                no colours

Exit codes:
  0    done
  1    the run ended without a result; definitions are wrong; a process could not do its work
  2    the command line or an input is wrong, or names what does not exist
  3    no Temporal server can be reached or started
  70   a mistake in Millrace itself
  130  interrupted (143: terminated) before it was done
`;

async function commandLine(wanted: string | undefined): Promise<Command> {
  const program = new Command('millrace')
    .description(
      'Durable pipelines, tasks, data flows, record pipelines and computed attributes on Temporal.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this, or the help of a command')
    .addHelpText('after', HELP);
  const one = COMMANDS[wanted ?? ''];
  const loaders =
    one !== undefined
      ? [one]
      : VERSION_OPTIONS.includes(wanted ?? '')
        ? []
        : Object.values(COMMANDS);
  for (const load of loaders) (await load())(program);
  for (const command of [program, ...program.commands.flatMap(withSubcommands)]) {
    command.exitOverride().showHelpAfterError('(--help tells what there is)');
  }
  return program;
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands];
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  // Who reads it has had enough, as `head` has.
  process.exit();
});

try {
  await (await commandLine(process.argv[2])).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has written what there is to say. Its own code for a wrong command line is 1.
    process.exitCode =
      error.exitCode === 0 || error.code === 'commander.help' ? EXIT.ok : EXIT.usage;
  } else {
    const { text, exitCode } = errorReport(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = exitCode;
  }
}
setTimeout(() => process.exit(), LINGER_MS).unref();
