import type { Command } from 'commander';
import pc from 'picocolors';
import { findTemplate } from '../../generator/generate.js';
import { EXIT } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { formatTable } from '../format.js';
import { projectPlugins } from '../../generator/plugin/project-plugins.js';
import { gatherValue, generateAndTell } from '../generator/write.js';
import { problemReport } from '../problem-report.js';
import { projectDir } from '../project.js';

const EXAMPLES = `
Examples:
  $ millrace template list
  $ millrace template generate step-handler-api --param name=ChargeCard
  $ millrace template generate report --plugin acme --param name=Monthly --param format=pdf --dry-run
`;

const DIR = ['-d, --dir <dir>', "the project's folder (default: the working directory)"] as const;

interface ListOptions {
  readonly dir?: string;
  readonly plugin?: string;
  readonly json: boolean;
}

interface GenerateOptions {
  readonly dir?: string;
  readonly plugin?: string;
  readonly param?: Readonly<Record<string, string>>;
  readonly skipSpec: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
}

/** Adds `template`: templates of all plugins, and generating from one. */
export function addTemplateCommand(program: Command): void {
  const template = program
    .command('template')
    .summary('list the templates of plugins, and generate from them')
    .description('Lists the templates of all plugins, and generates from them.')
    .addHelpText('after', EXAMPLES);
  template
    .command('list')
    .summary('list templates and their parameters')
    .description('Lists the templates of all plugins, with their parameters.')
    .option('--plugin <name>', 'of this plugin alone')
    .option('--json', 'as JSON', false)
    .option(...DIR)
    .action(async (options: ListOptions) => {
      process.exitCode = await list(options);
    });
  template
    .command('generate <name>')
    .summary('write what a template makes')
    .description(
      'Writes what a template makes, all of it or, where a file is there that differs, nothing.',
    )
    .option('-p, --param <key=value>', 'a parameter; may be given more than once', gatherValue)
    .option('--plugin <name>', 'whose template it is, where several have one of that name')
    .option('--skip-spec', 'write no test', false)
    .option('--dry-run', 'show what would be written, and write nothing', false)
    .option('--force', 'write over files that are there', false)
    .option(...DIR)
    .action(async (name: string, options: GenerateOptions) => {
      const dir = projectDir(options.dir);
      const { template: found } = findTemplate(await projectPlugins(dir), name, options.plugin);
      const { param: values = {}, skipSpec, dryRun, force } = options;
      process.exitCode = await generateAndTell({
        dir,
        template: found,
        values,
        skipSpec,
        dryRun,
        force,
      });
    });
}

async function list({ dir, plugin: only, json }: ListOptions): Promise<number> {
  const { plugins, problems } = await projectPlugins(projectDir(dir));
  const templates = plugins
    .filter(({ name }) => only === undefined || name === only)
    .flatMap(({ name: plugin, templates: own }) => own.map((one) => ({ plugin, ...one })));
  if (json)
    printJson(
      templates.map(({ plugin, name, description, parameters }) => ({
        plugin,
        name,
        description,
        parameters,
      })),
    );
  else
    process.stdout.write(
      `${formatTable(
        templates.map(({ plugin, name, description, parameters }) => [
          `  ${pc.bold(name)}`,
          plugin,
          parameters.map((one) => (one.required ? one.name : pc.dim(`[${one.name}]`))).join(' '),
          description,
        ]),
      )}\n`,
    );
  if (problems.length > 0) process.stderr.write(`${problemReport(problems)}\n`);
  return EXIT.ok;
}
