import type { Command } from 'commander';
import pc from 'picocolors';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import type { PipelinePlace } from '../../src/attribute-pipeline/pipeline-catalog.js';
import type { RunQuote } from '../../src/attribute-pipeline/run-catalog.js';
import type { RunTask } from '../../src/attribute-pipeline/run.js';
import { formatCount } from '../flows/flow-format.js';
import { printJson } from '../flows/flow-json.js';
import { counted } from '../problem-report.js';
import { priceNumbers } from './attribute-progress.js';
import { formatCost } from './cost-format.js';
import { placeOf, withAttributes } from './open-attributes.js';
import { alsoWhere, filterOf } from './where.js';

interface QuoteOptions {
  readonly dir?: string;
  readonly json: boolean;
  readonly force: boolean;
  readonly where: readonly string[];
}

/** Adds `attributes quote`: what a run would look at, and what it would cost. */
export function addQuoteCommand(attributes: Command): void {
  attributes
    .command('quote <pipeline>')
    .summary('tell what a run would look at, and what it would cost')
    .description(
      'Tells how many entities a run would look at, and what it would cost by what runs of the pipeline have cost.',
    )
    .option('--force', 'a run that computes also what has not changed', false)
    .option(
      '--where <condition>',
      'only entities of which it holds; may be repeated',
      alsoWhere,
      [],
    )
    .option('--json', 'print it as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .action(async (name: string, { dir, json, force, where }: QuoteOptions) => {
      const filter = filterOf(where);
      const quote = await withAttributes(dir, ({ attributes }) =>
        attributes.quote(placeOf(name), { force, ...(filter !== undefined && { filter }) }),
      );
      if (json) {
        printJson(quote);
        return;
      }
      process.stdout.write(text(name, quote, force));
    });
}

function text(name: string, quote: RunQuote, force: boolean): string {
  const { entities, tokensIn, tokensOut, cost, runsLookedAt } = quote;
  const most = force || entities === 0 ? '' : 'at most ';
  const head = `  ${name}  ${most}${counted(entities, 'entity', 'entities')} would be computed\n`;
  if (tokensIn === null) return `${head}    ${pc.dim('No run of it has asked a model yet.')}\n`;
  const price = cost === null ? '' : `, cost ${formatCost(cost)}`;
  return `${head}    about ${formatCount(tokensIn)} tokens in and ${formatCount(tokensOut ?? 0)} out${price}, by what ${counted(runsLookedAt, 'run')} took\n`;
}

/**
 * What a run is going to take, in a line; undefined where it asks no model, as far as its runs tell.
 *
 * @throws as {@link Attributes.quote}
 */
export async function quoteLine(
  attributes: Attributes,
  place: PipelinePlace,
  task: Partial<RunTask>,
): Promise<string | undefined> {
  const quote = await attributes.quote(place, task);
  const price = priceNumbers(quote);
  if (price.length === 0 || quote.entities === 0) return undefined;
  return [`about ${counted(quote.entities, 'entity', 'entities')}`, ...price].join(', ');
}
