import type { Command } from 'commander';
import pc from 'picocolors';
import { findTemplate } from '../../generator/generate.js';
import { KINDS, templateOf } from '../../generator/kinds.js';
import { OWN_PLUGIN } from '../../generator/plugin/search.js';
import { EXIT } from '../exit-code.js';
import { projectPlugins } from '../../generator/plugin/project-plugins.js';
import { gatherValue, generateAndTell } from '../generator/write.js';
import { projectDir } from '../project.js';

const EXAMPLES = `
Kinds: ${KINDS.slice(0, 5).join(', ')},
${KINDS.slice(5).join(', ')}.
Each is written with a test, for the runner that package.json names: jest, vitest, else node:test. Names may
be in any case: ChargeCard, charge-card and charge_card are the same. Where a file is there that differs,
the difference is shown, and nothing is written.

Examples:
  $ millrace generate operation CountWords
  $ millrace generate step-handler ChargeCard --type api --namespace payments
  $ millrace generate task-template FulfilOrder --dry-run
  $ millrace generate report Monthly --plugin acme --param format=pdf
`;

interface GenerateOptions {
  readonly type?: string;
  readonly namespace?: string;
  readonly plugin?: string;
  readonly param?: Readonly<Record<string, string>>;
  readonly skipSpec: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly dir?: string;
}

/** Adds `generate`: code and a test for it, from a template. */
export function addGenerateCommand(program: Command): void {
  program
    .command('generate <kind> <name>')
    .summary('write an operation, a handler, a task, … and its test')
    .description('Writes code and a passing test to begin with, from a template.')
    .option('-t, --type <type>', 'of a step handler: base, api, decision or batchable')
    .option('-n, --namespace <name>', 'what it belongs to: a folder, and a part of its name')
    .option('--plugin <name>', `whose template it is made from (default: ${OWN_PLUGIN})`)
    .option('-p, --param <key=value>', "another parameter of a plugin's template", gatherValue)
    .option('--skip-spec', 'write no test', false)
    .option('--dry-run', 'show what would be written, and write nothing', false)
    .option('--force', 'write over files that are there', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (kind: string, name: string, options: GenerateOptions) => {
      process.exitCode = await generateKind(kind, name, options);
    });
}

async function generateKind(kind: string, name: string, options: GenerateOptions): Promise<number> {
  const { type, namespace, plugin = OWN_PLUGIN, param, skipSpec, dryRun, force } = options;
  const wanted = templateOf(kind, type, plugin !== OWN_PLUGIN);
  const dir = projectDir(options.dir);
  const found = await projectPlugins(dir);
  const { template } = findTemplate(found, wanted, plugin);
  const values = { ...param, name, ...(namespace !== undefined && { namespace }) };
  const code = await generateAndTell({ dir, template, values, skipSpec, dryRun, force });
  const hint = NEXT[kind];
  if (code === EXIT.ok && !dryRun && plugin === OWN_PLUGIN && hint !== undefined)
    process.stdout.write(pc.dim(`${hint}\n`));
  return code;
}

/** What to do with some kinds, which does not go without saying. */
const NEXT: Readonly<Record<string, string>> = {
  pipeline:
    'Served with catch_all_routes = true in config/millrace/base/server.toml, or with a [[routes]] of its own there.',
  'step-handler': 'Used by the steps of a task that name it: millrace generate task-template.',
};
