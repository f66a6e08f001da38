import type { Command } from 'commander';
import { addApplyCommand } from '../attributes/apply.js';
import { addEvalsCommand } from '../attributes/evals.js';
import { addExplainCommand } from '../attributes/explain.js';
import { addImportCommand } from '../attributes/import.js';
import { addListCommand } from '../attributes/list.js';
import { addQuoteCommand } from '../attributes/quote.js';
import { addRunCommand } from '../attributes/run.js';

const EXAMPLES = `
Uses the project's Temporal server and its catalog. Workers (\`millrace worker\`, \`millrace dev\`) compute the values.

Examples:
  $ millrace attributes import product products.csv --key sku --create
  $ millrace attributes apply attributes/products.yml
  $ millrace attributes list
  $ millrace attributes run product.area
  $ millrace attributes explain product.A-17 area
`;

/** Adds `attributes`: everything about entities and the pipelines that compute their attributes. */
export function addAttributesCommand(program: Command): void {
  const attributes = program
    .command('attributes')
    .summary('import entities, and compute their attributes')
    .description('Imports entities, and runs, quotes, evaluates and explains what is computed.')
    .addHelpText('after', EXAMPLES);
  addListCommand(attributes);
  addApplyCommand(attributes);
  addRunCommand(attributes);
  addQuoteCommand(attributes);
  addEvalsCommand(attributes);
  addExplainCommand(attributes);
  addImportCommand(attributes);
}
