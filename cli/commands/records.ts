import type { Command } from 'commander';
import { addForgetCommand } from '../records/forget.js';
import { addInspectCommand } from '../records/inspect.js';
import { addRunCommand } from '../records/run.js';
import { addStatusCommand } from '../records/status.js';
import { addDiffCommand, addRestoreCommand, addVersionsCommand } from '../records/versions.js';

const EXAMPLES = `
Workers (\`millrace worker\`, \`millrace dev\`) on the machine that has the store work on its records. Versions are files beside it:
the commands about them need no server.

Examples:
  $ millrace records run onboarding
  $ millrace records inspect onboarding employee --where '{"welcomed":false}'
  $ millrace records versions onboarding
  $ millrace records diff onboarding 2026-11-26T03-45-12.123Z
  $ millrace records restore onboarding 2026-11-26T03-45-12.123Z
`;

/** Adds `records`: everything about record pipelines and their stores. */
export function addRecordsCommand(program: Command): void {
  const records = program
    .command('records')
    .summary('run record pipelines, and go back to versions of their stores')
    .description(
      'Runs record pipelines, and shows, compares and restores versions of their stores.',
    )
    .addHelpText('after', EXAMPLES);
  addRunCommand(records);
  addStatusCommand(records);
  addInspectCommand(records);
  addVersionsCommand(records);
  addDiffCommand(records);
  addRestoreCommand(records);
  addForgetCommand(records);
}
