import { resolve } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { shownPath } from '../../engine/project/site.js';
import { isPlugin, loadPlugin, type Plugin } from '../../generator/plugin/plugin.js';
import { PLUGIN_FILE } from '../../generator/plugin/manifest.js';
import type { FoundPlugins } from '../../generator/plugin/search.js';
import { suggestion } from '../../src/definition/suggestion.js';
import { EXIT, UsageError } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { formatTable } from '../format.js';
import { projectPlugins } from '../../generator/plugin/project-plugins.js';
import { counted, problemReport } from '../problem-report.js';
import { projectDir } from '../project.js';

const EXAMPLES = `
A plugin is a folder with a ${PLUGIN_FILE}: one that pluginPaths of the configuration names or holds, or a package in node_modules.

Examples:
  $ millrace plugin list
  $ millrace plugin info millrace
  $ millrace plugin validate tools/templates
`;

const DIR = ['-d, --dir <dir>', "the project's folder (default: the working directory)"] as const;

interface PluginOptions {
  readonly dir?: string;
  readonly json?: true;
}

/** Adds `plugin`: which plugins there are, what they offer, and what is wrong with them. */
export function addPluginCommand(program: Command): void {
  const plugin = program
    .command('plugin')
    .summary('list and check plugins, which have templates')
    .description(
      'Lists the plugins that a project has, which are folders of templates, and checks them.',
    )
    .addHelpText('after', EXAMPLES);
  plugin
    .command('list')
    .summary('list plugins')
    .description('Lists the plugins that a project has.')
    .option('--json', 'as JSON')
    .option(...DIR)
    .action(async (options: PluginOptions) => {
      const dir = projectDir(options.dir);
      process.exitCode = list(await projectPlugins(dir), dir, options.json === true);
    });
  plugin
    .command('info <name>')
    .summary('show a plugin and its templates')
    .description('Shows what a plugin says of itself, and its templates.')
    .option('--json', 'as JSON')
    .option(...DIR)
    .action(async (name: string, options: PluginOptions) => {
      const dir = projectDir(options.dir);
      process.exitCode = info(await projectPlugins(dir), {
        name,
        dir,
        json: options.json === true,
      });
    });
  plugin
    .command('validate [folder]')
    .summary('tell everything that is wrong with a plugin')
    .description(
      'Tells everything that is wrong with a plugin, with file and line: its manifests, its templates, their parameters. Without a folder: with all plugins of the project.',
    )
    .option(...DIR)
    .action(async (folder: string | undefined, options: PluginOptions) => {
      const dir = projectDir(options.dir);
      process.exitCode = validate(
        folder === undefined ? await projectPlugins(dir) : pluginIn(folder),
      );
    });
}

function list({ plugins, problems }: FoundPlugins, dir: string, json: boolean): number {
  if (json) printJson(plugins.map((plugin) => plain(plugin, dir)));
  else {
    const rows = plugins.map(({ name, version, templates, description, dir: folder }) => [
      `  ${pc.bold(name)}`,
      version,
      counted(templates.length, 'template'),
      description,
      pc.dim(shownPath(folder, dir)),
    ]);
    process.stdout.write(`${formatTable(rows)}\n`);
  }
  if (problems.length > 0) process.stderr.write(`${problemReport(problems)}\n`);
  return EXIT.ok;
}

function info(
  { plugins, problems }: FoundPlugins,
  { name, dir, json }: { readonly name: string; readonly dir: string; readonly json: boolean },
): number {
  const plugin = plugins.find((one) => one.name === name);
  if (plugin === undefined) {
    if (problems.length > 0) process.stderr.write(`${problemReport(problems)}\n`);
    const names = plugins.map((one) => one.name);
    throw new UsageError(`There is no plugin "${name}".${suggestion(name, names)}`);
  }
  if (json) {
    printJson(plain(plugin, dir));
    return EXIT.ok;
  }
  const { version, description, language, framework, templates } = plugin;
  const about = [language, framework].filter((part) => part !== undefined).join(', ');
  const lines = templates.flatMap((template) => [
    '',
    `  ${pc.bold(template.name)}  ${template.description}`,
    ...template.parameters.map(
      (one) =>
        `      ${one.name}${one.required ? '' : pc.dim(one.default === undefined ? ' (optional)' : ` (unless given: ${one.default})`)}  ${pc.dim(one.description)}`,
    ),
  ]);
  const head = [
    `${pc.bold(name)} ${version}  ${description}`,
    `${about}  ${pc.dim(shownPath(plugin.dir, dir))}`,
  ];
  process.stdout.write(`${[...head, ...lines].join('\n')}\n`);
  return EXIT.ok;
}

function plain(plugin: Plugin, dir: string) {
  const { name, version, description, language, framework, templates } = plugin;
  return {
    name,
    version,
    description,
    language,
    framework,
    dir: shownPath(plugin.dir, dir),
    templates: templates.map((one) => ({
      name: one.name,
      description: one.description,
      parameters: one.parameters,
    })),
  };
}

function pluginIn(folder: string): FoundPlugins {
  const path = resolve(folder);
  if (!isPlugin(path)) throw new UsageError(`There is no ${PLUGIN_FILE} in ${path}.`);
  const { plugin, problems } = loadPlugin(path, process.cwd());
  return { plugins: plugin === undefined ? [] : [plugin], problems };
}

function validate({ plugins, problems }: FoundPlugins): number {
  if (problems.length > 0) process.stdout.write(`${problemReport(problems)}\n`);
  for (const { name, version, templates } of plugins)
    process.stdout.write(
      `  ${pc.green('✓')} ${name} ${version}  ${counted(templates.length, 'template')}\n`,
    );
  return problems.some(({ severity }) => severity !== 'warning') ? EXIT.failed : EXIT.ok;
}
