import type { Command } from 'commander';
import pc from 'picocolors';
import type { Eval } from '../../src/attribute-pipeline/eval.js';
import { EXIT } from '../exit-code.js';
import { printJson } from '../flows/flow-json.js';
import { formatTable, oneLine } from '../format.js';
import { runEvals } from './run-evals.js';
import { placeOf, withAttributes, type OpenAttributes } from './open-attributes.js';

interface EvalsOptions {
  readonly dir?: string;
  readonly json: boolean;
  readonly run: boolean;
  readonly failing: boolean;
}

/** Evals that are listed. */
const MOST = 1_000;

const EXAMPLES = `
Progress goes to standard error. Ctrl-C leaves; evals that run go on.

Examples:
  $ millrace attributes evals product.verdict
  $ millrace attributes evals product.verdict --run --failing
`;

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
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: EvalsOptions) => {
      process.exitCode = await withAttributes(options.dir, (open) => evals(open, name, options));
    });
}

async function evals(
  open: OpenAttributes,
  name: string,
  { run, failing, json }: EvalsOptions,
): Promise<number> {
  const place = placeOf(name);
  const code = run ? await runEvals(open, place) : undefined;
  if (code !== undefined) return code;
  const of = failing ? { passed: false } : {};
  const { items: found } = await open.attributes.evals.evals(place, { limit: MOST }, of);
  if (json) printJson(found);
  else process.stdout.write(`${text(found)}\n`);
  return found.some(({ passed }) => passed === false) ? EXIT.failed : EXIT.ok;
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
