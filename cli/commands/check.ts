import type { Command } from 'commander';
import pc from 'picocolors';
import { loadProject, type Project } from '../../engine/project/load-project.js';
import { isOptional, type PropertyTypes } from '../../src/contract/contract.js';
import { mayBeLeftOut } from '../../src/contract/json-schema.js';
import type { CompiledPipeline } from '../../src/pipeline/compile.js';
import type { CompiledDataFlow } from '../../src/data-flow/compile.js';
import type { CompiledRecordPipeline } from '../../src/record-pipeline/compile.js';
import type { Definition } from '../../engine/registry.js';
import { wayOf, whenOf } from '../flows/flow-way.js';
import { EXIT } from '../exit-code.js';
import { formatDuration, formatTable } from '../format.js';
import { codeCounts } from '../code-counts.js';
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
  process.stdout.write(summary(project, problems.length > 0 ? 'no errors' : 'nothing wrong'));
  return EXIT.ok;
}

/** Most properties that a line names on each side. */
const MAX_NAMED = 12;

/** What a pipeline is started with and what it leaves: `{ text, limit? } → { summary }`. */
function contractLine({ input, output, plan }: CompiledPipeline): string {
  const left = named(output, mayBeLeftOut);
  return `${named(input, isOptional)} → ${plan.result === 'all' ? `[${left}]` : left}`;
}

function named(types: PropertyTypes, optional: (type: PropertyTypes[string]) => boolean): string {
  const names = Object.entries(types).map(([name, type]) => `${name}${optional(type) ? '?' : ''}`);
  const more = names.length > MAX_NAMED ? [`… ${String(names.length - MAX_NAMED)} more`] : [];
  return names.length === 0 ? '{}' : `{ ${[...names.slice(0, MAX_NAMED), ...more].join(', ')} }`;
}

function summary({ registry, models }: Project, verdict: string): string {
  const definitions = [
    ...registry.definitions.values(),
    ...registry.dataFlows.values(),
    ...registry.recordPipelines.values(),
  ];
  if (definitions.length === 0) {
    return 'Nothing is defined here yet. Put operations into operations/, pipelines into pipelines/, tasks into tasks/ and data flows into flows/, or name a project: --dir.\n';
  }
  const lines = formatTable(definitions.map(definitionRow)).split('\n');
  const table = definitions.flatMap((definition, at) => [
    lines[at] ?? '',
    ...(definition.kind === 'pipeline' ? [pc.dim(`      ${contractLine(definition)}`)] : []),
  ]);
  const parts = [
    counted(definitions.length, 'definition'),
    ...codeCounts(registry),
    counted(models.size, 'model'),
  ];
  return `${table.join('\n')}\n${parts.join(', ')}, ${verdict}.\n`;
}

/** Anything that can be started. */
type Startable = Definition | CompiledDataFlow | CompiledRecordPipeline;

function definitionRow(definition: Startable): readonly string[] {
  const { kind, name } = definition;
  const [timeoutMs, about] = aboutOf(definition);
  return [
    `  ${pc.green('✓')} ${kind.replace('_', ' ')}`,
    name,
    pc.dim(`within ${formatDuration(timeoutMs)}`),
    about,
  ];
}

/** How long it may take, and what it consists of, or when it runs. */
function aboutOf(definition: Startable): readonly [number, string] {
  switch (definition.kind) {
    case 'pipeline': {
      const { stages, timeoutMs } = definition.plan;
      return [timeoutMs, stages.map((stage) => stage.name).join(' › ')];
    }
    case 'workflow':
      return [definition.timeoutMs, ''];
    case 'task': {
      const { steps, lifecycle } = definition.plan;
      return [lifecycle.maxDurationMs, steps.map(({ name }) => name).join(', ')];
    }
    case 'record_pipeline':
      return [definition.timeoutMs, definition.steps.map(({ label }) => label).join(' › ')];
    case 'data_flow':
      return [
        definition.timeoutMs,
        [wayOf(definition), whenOf(definition)].filter((part) => part !== undefined).join(', '),
      ];
  }
}
