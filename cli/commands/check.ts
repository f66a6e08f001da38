import type { Command } from 'commander';
import pc from 'picocolors';
import { loadProject, type Project } from '../../engine/project/load-project.js';
import { BUILT_IN_OPERATIONS } from '../../src/pipeline/built-in/catalog.js';
import { EXIT } from '../exit-code.js';
import { formatDuration, formatTable } from '../format.js';
import { counted, problemReport } from '../problem-report.js';
import { projectDir } from '../project.js';

const EXAMPLES = `
Needs no Temporal server. Exits with 1 when there are errors; warnings alone are fine.

Examples:
  $ millrace check
  $ millrace check --dir examples/quickstart
`;

/** Adds `check`: tells everything that is wrong with the definitions. */
export function addCheckCommand(program: Command): void {
  program
    .command('check')
    .summary('check the definitions and tell everything that is wrong')
    .description(
      'Loads the project and tells everything that is wrong with it, each problem with file and line.',
    )
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async ({ dir }: { readonly dir?: string }) => {
      process.exitCode = await check(projectDir(dir));
    });
}

async function check(dir: string): Promise<number> {
  const { project, problems } = await loadProject(dir);
  if (problems.length > 0) process.stdout.write(`${problemReport(problems)}\n`);
  if (project === undefined) return EXIT.failed;
  process.stdout.write(summary(project));
  return EXIT.ok;
}

function summary({ registry, models }: Project): string {
  const definitions = [...registry.definitions.values()];
  if (definitions.length === 0) {
    return 'Nothing is defined here yet. Put operations into operations/ and pipelines into pipelines/, or name a project: --dir.\n';
  }
  const rows = definitions.map((definition) => {
    const stages =
      definition.kind === 'pipeline'
        ? definition.plan.stages.map(({ name }) => name).join(' › ')
        : '';
    const timeoutMs =
      definition.kind === 'pipeline' ? definition.plan.timeoutMs : definition.timeoutMs;
    return [
      `  ${pc.green('✓')} ${definition.kind}`,
      definition.name,
      pc.dim(`within ${formatDuration(timeoutMs)}`),
      stages,
    ];
  });
  const own = registry.operations.size - BUILT_IN_OPERATIONS.length;
  const parts = [
    counted(definitions.length, 'definition'),
    counted(own, 'operation'),
    ...(registry.activities.size === 0
      ? []
      : [counted(registry.activities.size, 'activity', 'activities')]),
    counted(models.size, 'model'),
  ];
  return `${formatTable(rows)}\n${parts.join(', ')}, nothing wrong.\n`;
}
