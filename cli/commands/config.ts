import type { Command } from 'commander';
import pc from 'picocolors';
import { loadConfig, type LoadedConfig } from '../../engine/project/load-config.js';
import { shownPath } from '../../engine/project/site.js';
import { environmentName } from '../../engine/project/toml-config.js';
import { configReference } from '../config/config-reference.js';
import { effectiveOptions } from '../config/effective-options.js';
import { EXIT } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { formatTable, oneLine } from '../format.js';
import { counted, problemReport } from '../problem-report.js';
import { projectDir } from '../project.js';

const EXAMPLES = `
The configuration is what config/millrace/base/*.toml say, over it config/millrace/environments/<MILLRACE_ENV>/*.toml,
over it millrace.config.ts, then variables of the environment, then options of the command line.

Examples:
  $ millrace config show
  $ MILLRACE_ENV=production millrace config show --all
  $ millrace config check
  $ millrace config reference | less
`;

interface ConfigOptions {
  readonly dir?: string;
}

/** Adds `config`: what the configuration comes to, and what is wrong with it. */
export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .summary('show and check the configuration')
    .description('Shows what the configuration comes to, and from where, and checks it.')
    .addHelpText('after', EXAMPLES);
  const folder = [
    '-d, --dir <dir>',
    "the project's folder (default: the working directory)",
  ] as const;
  config
    .command('show')
    .summary('print each option that is in effect, and where it comes from')
    .description(
      'Prints each option that is in effect, and where it comes from. Secrets are not shown.',
    )
    .option(...folder)
    .option('--all', 'also options that are not set')
    .option('--json', 'as JSON')
    .action(
      async ({ dir, all, json }: ConfigOptions & { readonly all?: true; readonly json?: true }) => {
        process.exitCode = await show(projectDir(dir), { all: all === true, json: json === true });
      },
    );
  config
    .command('reference')
    .summary('print what every option takes and does')
    .description('Prints what every option takes, its default and what it does, as Markdown.')
    .action(() => {
      process.stdout.write(configReference());
    });
  config
    .command('check')
    .summary('tell everything that is wrong with the configuration')
    .description(
      'Tells everything that is wrong with the configuration, with file and line. `millrace check` looks at definitions and models, too.',
    )
    .option(...folder)
    .action(async ({ dir }: ConfigOptions) => {
      process.exitCode = await check(projectDir(dir));
    });
}

async function show(
  dir: string,
  { all, json }: { readonly all: boolean; readonly json: boolean },
): Promise<number> {
  const loaded = await loadConfig(dir, process.env);
  if (loaded.config === undefined) return refused(loaded);
  const options = effectiveOptions(loaded, process.env).filter(
    ({ value }) => all || value !== null,
  );
  if (json) {
    printJson(options);
    return EXIT.ok;
  }
  const rows = options.map(({ option, value, source }) => [
    option,
    value === null ? pc.dim('–') : oneLine(value),
    pc.dim(source),
  ]);
  process.stdout.write(`${formatTable(rows)}\n`);
  return EXIT.ok;
}

async function check(dir: string): Promise<number> {
  const loaded = await loadConfig(dir, process.env);
  if (loaded.config === undefined) return refused(loaded);
  const { problems, files } = loaded;
  if (problems.length > 0) process.stdout.write(`${problemReport(problems)}\n`);
  const names = files.map((file) => `  ${shownPath(file, dir)}\n`).join('');
  const count = files.length === 0 ? 'Nothing but defaults' : counted(files.length, 'file');
  const verdict = problems.length > 0 ? 'no errors' : 'nothing wrong';
  const environment = environmentName(process.env) ?? '';
  process.stdout.write(`${names}${count}, environment ${environment}, ${verdict}.\n`);
  return EXIT.ok;
}

function refused({ problems }: LoadedConfig): number {
  process.stdout.write(`${problemReport(problems)}\n`);
  return EXIT.failed;
}
