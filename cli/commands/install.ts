import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import pc from 'picocolors';
import pino from 'pino';
import { isDirectory } from '../../engine/project/project-files.js';
import { prepareCatalog } from '../../generator/install/catalog.js';
import {
  applyInstall,
  makeProjectFolder,
  planInstall,
  type InstallPlan,
} from '../../generator/install/install.js';
import { EXIT, UsageError } from '../exit-code.js';
import { changeReport } from '../generator/change-report.js';
import { projectDir } from '../project.js';

const EXAMPLES = `
Sets up configuration, TypeScript, npm scripts, an example with a test and, where there is a Koa app, the
routes in it; makes the tables of the catalog, or brings them up to date. Run it again at any time: what is
there stays, and what differs is shown.

Examples:
  $ millrace install
  $ millrace install --yes --async
  $ millrace install --dry-run
`;

interface InstallOptions {
  readonly dir?: string;
  readonly async: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly catalog: boolean;
}

/** Adds `install`: makes a folder a project. */
export function addInstallCommand(program: Command): void {
  program
    .command('install')
    .summary('set up a project in a folder')
    .description('Makes a folder a project, or adds to one what it lacks.')
    .option(
      '--async',
      'serve every definition, with routes for streams and asynchronous runs',
      false,
    )
    .option('-y, --yes', 'ask nothing', false)
    .option('--dry-run', 'show what would be written, and write nothing', false)
    .option('--force', 'write over files that are there and differ', false)
    .option('--no-catalog', 'leave the catalog, the database, alone')
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (options: InstallOptions) => {
      process.exitCode = await install(projectDir(options.dir), options);
    });
}

async function install(dir: string, options: InstallOptions): Promise<number> {
  const { async, yes, dryRun, force } = options;
  if (!dryRun && !isDirectory(dir)) await makeProjectFolder(dir);
  const plan = await planInstall(dir, { async });
  process.stdout.write(`${changeReport({ changes: plan.changes, force })}\n`);
  for (const note of plan.notes) process.stdout.write(`${pc.yellow('note')}  ${note}\n`);
  const pending = plan.changes.filter(
    ({ kind }) => kind === 'create' || kind === 'amend' || (kind === 'differs' && force),
  );
  if (dryRun) {
    process.stdout.write(pc.dim('Nothing was written: --dry-run.\n'));
    return EXIT.ok;
  }
  if (pending.length > 0 && !yes && !(await isWanted())) {
    process.stdout.write('Nothing was written.\n');
    return EXIT.ok;
  }
  await applyInstall(plan, { force });
  const why = options.catalog ? await prepared(plan) : undefined;
  process.stdout.write(closing(plan, pending.length));
  return why === undefined ? EXIT.ok : EXIT.failed;
}

/** @throws {@link UsageError} where nobody can be asked */
async function isWanted(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError(
      'There is no terminal to ask on whether this is to be written: add --yes, or --dry-run.',
    );
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C and Ctrl-D close it, and leave the question without an answer.
  const closed = once(asking, 'close').then(() => undefined);
  const asked = asking.question('Write this? [y/N] ').catch(() => undefined);
  const answer = await Promise.race([asked, closed]);
  asking.close();
  if (answer === undefined) process.stdout.write('\n');
  return answer !== undefined && /^y(?:es)?$/i.test(answer.trim());
}

async function prepared({ dir }: InstallPlan): Promise<string | undefined> {
  const why = await prepareCatalog(dir, process.env, pino({ level: 'silent' }));
  if (why === undefined) process.stdout.write(`  ${pc.green('✓')} the catalog is up to date\n`);
  else
    process.stdout.write(
      `${pc.yellow('the catalog is not ready')}  ${why}\nRun millrace install again, or start a worker, which makes it too.\n`,
    );
  return why;
}

function closing({ changes }: InstallPlan, pending: number): string {
  const differ = changes.filter(({ kind }) => kind === 'differs').length;
  const kept = differ === 0 ? '' : 'What differs was kept as it is, unless you said --force.\n';
  if (pending === 0) return `${kept}Everything is in place.\n`;
  const installs = changes.some(({ path, kind }) => path === 'package.json' && kind !== 'same');
  const steps = [
    ...(installs ? ['npm install'] : []),
    'npm run check        # everything that is wrong, with file and line',
    'npm test',
    'npm run dev          # then, in another terminal, the curl line of pipelines/article.yml',
  ];
  return `${kept}\nNext:\n${steps.map((step) => `  ${step}\n`).join('')}`;
}
