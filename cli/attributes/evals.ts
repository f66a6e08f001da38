import type { Command } from 'commander';
import pc from 'picocolors';
import type { EvalReport } from '../../src/attribute-pipeline/asked-pipeline.js';
import type { Eval } from '../../src/attribute-pipeline/eval.js';
import { EXIT } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { formatTable, oneLine } from '../format.js';
import { counted } from '../problem-report.js';
import { placeOf, withAttributes, type OpenAttributes } from './open-attributes.js';

interface EvalsOptions {
  readonly dir?: string;
  readonly json: boolean;
  readonly run: boolean;
  readonly failing: boolean;
}

/** Evals that are listed. */
const MOST = 1_000;

/** Adds `attributes evals`: what is wanted of a pipeline, and how far it is from it. */
export function addEvalsCommand(attributes: Command): void {
  attributes
    .command('evals <pipeline>')
    .summary('list the evals of a pipeline, or run them')
    .description(
      'Lists the evals of a pipeline: what is wanted, and what it gives. Exits with 1 when some fail.',
    )
    .option('--run', 'run all of them first', false)
    .option('--failing', 'only those that fail', false)
    .option('--json', 'print them as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async (name: string, options: EvalsOptions) => {
      const found = await withAttributes(options.dir, (open) => evalsOf(open, name, options));
      if (options.json) printJson(found);
      else process.stdout.write(`${text(found)}\n`);
      process.exitCode = found.some(({ passed }) => passed === false) ? EXIT.failed : EXIT.ok;
    });
}

async function evalsOf(
  { attributes }: OpenAttributes,
  name: string,
  { run, failing }: EvalsOptions,
): Promise<readonly Eval[]> {
  const place = placeOf(name);
  if (run) tellLeftOut(await (await attributes.runEvals(place)).result());
  const of = failing ? { passed: false } : {};
  return (await attributes.evals.evals(place, { limit: MOST }, of)).items;
}

function tellLeftOut({ leftOut }: EvalReport): void {
  if (leftOut === 0) return;
  process.stderr.write(
    `${pc.yellow('!')} ${counted(leftOut, 'eval')} not run: the day's budget of the pipeline is used up (day_budget).\n`,
  );
}

function text(found: readonly Eval[]): string {
  if (found.length === 0) return 'There are no evals.';
  const rows = found.map(({ entityId, entityKey, passed, desiredOutput, actualOutput, notes }) => [
    passed === null ? pc.dim('not run') : passed ? pc.green('passes') : pc.red('fails'),
    entityKey ?? entityId,
    shown(desiredOutput),
    actualOutput === undefined ? '' : shown(actualOutput),
    oneLine(notes ?? '', 40),
  ]);
  const passing = found.filter(({ passed }) => passed === true).length;
  const table = formatTable([['', 'ENTITY', 'WANTED', 'GIVEN', 'NOTES'], ...rows]);
  return `${table}\n${String(passing)} of ${String(found.length)} pass.`;
}

function shown(value: Eval['desiredOutput']): string {
  return oneLine(JSON.stringify(value), 40);
}
