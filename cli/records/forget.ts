import type { Command } from 'commander';
import pc from 'picocolors';
import { openProjectCatalog } from '../../engine/project/project-catalog.js';
import type { KnownStore } from '../../src/record-pipeline/store-catalog.js';
import { printJson } from '../flows/flow-json.js';
import { formatTime } from '../format.js';
import { createLogger } from '../logger.js';
import { projectWith } from './open-records.js';

interface Options {
  readonly dir?: string;
  readonly json: boolean;
}

const HELP = `
Runs wait for a worker on the machine that has the store. When that machine has gone for good, have it forgotten: the next run
works on the store of the first worker that is asked, which is made where there is none. No file is removed.
`;

/** Adds `records forget`: a store that has gone for good is not waited for any more. */
export function addForgetCommand(records: Command): void {
  records
    .command('forget <name>')
    .summary('forget on which machine the store is')
    .description('Forgets on which machine the store of a record pipeline is.')
    .option('--json', 'print where it was as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', HELP)
    .action(async (name: string, { dir, json }: Options) => {
      const known = await forget(dir, name);
      if (json) printJson(known ?? null);
      else process.stdout.write(`${outcome(name, known)}\n`);
    });
}

async function forget(dir: string | undefined, name: string): Promise<KnownStore | undefined> {
  const project = await projectWith(dir, name);
  const { env, stderr: stream } = process;
  const { config } = project;
  const log = createLogger({ debug: config.debug, env, stream });
  const catalog = await openProjectCatalog({ dir: project.dir, config, env, log });
  try {
    return await catalog.recordStores.forget(name);
  } finally {
    await catalog.close();
  }
}

function outcome(name: string, known: KnownStore | undefined): string {
  if (known === undefined) return `  No store of ${name} was known.`;
  const { id, host, dir, seenAt } = known;
  return `  ${pc.green('✓')} The store ${id} of ${name} is forgotten. It was in ${dir} on ${host}, last used ${formatTime(seenAt)}`;
}
