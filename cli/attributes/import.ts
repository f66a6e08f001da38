import { createReadStream, existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'csv-parse';
import pc from 'picocolors';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import { ATTRIBUTE_DEFAULTS, type Attribute } from '../../src/attribute-pipeline/attribute.js';
import { InvalidValues, NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { EntityInput } from '../../src/attribute-pipeline/entity-catalog.js';
import { valueOfText } from '../../src/attribute-pipeline/written-value.js';
import { UsageError } from '../exit-code.js';
import { formatCount } from '../flows/flow-format.js';
import { printJson } from '../flows/flow-json.js';
import { formatDuration } from '../format.js';
import { withAttributes } from './open-attributes.js';
import { columnTypes, type Row } from './import-columns.js';

interface ImportOptions {
  readonly dir?: string;
  readonly key: string;
  readonly label?: string;
  readonly create: boolean;
  readonly delimiter: string;
  readonly json: boolean;
}

/** Entities that are saved at once. */
const AT_ONCE = 500;

/** Rows that the types of columns are told by. */
const LOOKED_AT = 5_000;

/** Most characters of a row. */
const MOST_CHARACTERS = 1_000_000;

const EXAMPLES = `
The first line of the file has the names of the columns, which are those of attributes. Entities are found again by their key: the
same file may be imported as often as you like, and what has changed is changed. Empty fields leave values as they are.

Examples:
  $ millrace attributes import product products.csv --key sku --create
  $ millrace attributes import product products.csv --key sku --label name
`;

/** Adds `attributes import`: entities from a CSV file. */
export function addImportCommand(attributes: Command): void {
  attributes
    .command('import <type> <file>')
    .summary('import entities from a CSV file')
    .description('Imports entities of a type, with their values, from a CSV file.')
    .requiredOption('--key <column>', 'what entities are found again by')
    .option('--label <column>', 'what people call them')
    .option('--create', 'add the entity type and the attributes that are not there', false)
    .option('--delimiter <text>', 'between two fields', ',')
    .option('--json', 'print what was imported as JSON', false)
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)")
    .addHelpText('after', EXAMPLES)
    .action(async (type: string, file: string, options: ImportOptions) => {
      if (!existsSync(file)) throw new UsageError(`There is no file ${file}.`);
      await withAttributes(options.dir, ({ attributes: all }) =>
        importFile(all, type, file, options),
      );
    });
}

interface Imported {
  read: number;
  added: number;
  changed: number;
}

async function importFile(
  attributes: Attributes,
  type: string,
  file: string,
  options: ImportOptions,
): Promise<void> {
  const startedAt = Date.now();
  if (options.create) await create(attributes, type, file, options);
  const known = new Map(
    (await attributes.entities.attributes(type)).map((attribute) => [attribute.name, attribute]),
  );
  const imported: Imported = { read: 0, added: 0, changed: 0 };
  let batch: EntityInput[] = [];
  const save = async (): Promise<void> => {
    if (batch.length === 0) return;
    await saveBatch(attributes, type, batch, imported);
    batch = [];
    tell(file, imported);
  };
  for await (const row of rowsOf(file, options)) {
    batch.push(inputOf(row, known, options, imported.read + batch.length));
    if (batch.length >= AT_ONCE) await save();
  }
  await save();
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[0K');
  if (options.json) printJson(imported);
  else
    process.stdout.write(
      `  ${pc.green('✓')} ${type}  ${formatCount(imported.read)} read, ${formatCount(imported.added)} added, ${formatCount(imported.changed)} changed in ${formatDuration(Date.now() - startedAt)}\n`,
    );
}

/** On a terminal, how far it is. */
function tell(file: string, { read }: Imported): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\u001b[0K  ${basename(file)}: ${formatCount(read)} entities`);
}

async function saveBatch(
  attributes: Attributes,
  type: string,
  batch: readonly EntityInput[],
  imported: Imported,
): Promise<void> {
  const by = { principal: 'import', now: new Date(), isImport: true };
  try {
    const saved = await attributes.entities.saveEntities(type, batch, by);
    imported.read += saved.length;
    imported.added += saved.filter(({ isNew }) => isNew).length;
    imported.changed += saved.filter(({ isNew, changed }) => !isNew && changed.length > 0).length;
  } catch (error) {
    if (!(error instanceof InvalidValues)) throw error;
    const lines = error.problems
      .slice(0, 10)
      .map(({ index, message }) => `  row ${String(imported.read + index + 1)}: ${message}`);
    throw new UsageError(
      `${formatCount(imported.read)} entities were imported, and the rest was not:\n${lines.join('\n')}`,
    );
  }
}

async function* rowsOf(file: string, { delimiter }: ImportOptions): AsyncIterable<Row> {
  const parser = createReadStream(file).pipe(
    parse({
      columns: true,
      bom: true,
      delimiter,
      skip_empty_lines: true,
      max_record_size: MOST_CHARACTERS,
    }),
  );
  try {
    for await (const row of parser) yield row as Row;
  } catch (error) {
    throw error instanceof Error && error.name === 'Error' && 'code' in error
      ? new UsageError(`${file}: ${error.message}`)
      : error;
  }
}

function inputOf(
  row: Row,
  known: ReadonlyMap<string, Attribute>,
  { key: keyColumn, label: labelColumn }: ImportOptions,
  at: number,
): EntityInput {
  const key = row[keyColumn] ?? '';
  if (key === '')
    throw new UsageError(
      `Row ${String(at + 1)} has nothing in the column ${JSON.stringify(keyColumn)}, which is its key.`,
    );
  const values = Object.entries(row).flatMap(([name, text]) => {
    const attribute = known.get(name);
    if (text === '' || ((name === keyColumn || name === labelColumn) && attribute === undefined))
      return [];
    // What is unknown is refused together with all else that is wrong.
    return [
      [name, attribute === undefined ? text : valueOfText(text, attribute.dataType)] as const,
    ];
  });
  const label = labelColumn === undefined ? undefined : row[labelColumn];
  return {
    key,
    values: Object.fromEntries(values),
    ...(label !== undefined && label !== '' && { label }),
  };
}

/** Adds the type and its attributes, as far as they are not there. */
async function create(
  attributes: Attributes,
  type: string,
  file: string,
  options: ImportOptions,
): Promise<void> {
  const { entities } = attributes;
  const by = { principal: 'import', now: new Date() };
  try {
    await entities.entityType(type);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    await entities.addEntityType({ name: type, label: null, description: null }, by);
  }
  const known = new Set((await entities.attributes(type)).map(({ name }) => name));
  const looked: Row[] = [];
  for await (const row of rowsOf(file, options)) {
    looked.push(row);
    if (looked.length >= LOOKED_AT) break;
  }
  const types = columnTypes(looked);
  for (const [name, dataType] of types) {
    if (known.has(name) || name === options.key || name === options.label) continue;
    await entities.addAttribute(type, { ...ATTRIBUTE_DEFAULTS, name, dataType }, by);
  }
}
