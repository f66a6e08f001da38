import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { Attributes } from '../../engine/attribute-pipeline/attributes.js';
import { ATTRIBUTE_DEFAULTS, type Attribute } from '../../src/attribute-pipeline/attribute.js';
import { InvalidValues, NotFound } from '../../src/attribute-pipeline/catalog-errors.js';
import type { EntityInput } from '../../src/attribute-pipeline/entity-catalog.js';
import { valueOfText } from '../../src/attribute-pipeline/written-value.js';
import { EXIT, UsageError } from '../exit-code.js';
import { formatCount } from '../flows/flow-format.js';
import { printJson } from '../flows/flow-json.js';
import { formatDuration } from '../format.js';
import { onInterruption } from '../interruption.js';
import { counted } from '../problem-report.js';
import { CsvRows } from './csv-rows.js';
import { columnTypes, type Row } from './import-columns.js';
import { ImportLine, type Imported } from './import-line.js';
import { withAttributes } from './open-attributes.js';

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

const EXAMPLES = `
The first line of the file has the names of the columns, which are those of attributes. Entities are found again by their key: the
same file may be imported as often as you like, and what has changed is changed. Empty fields leave values as they are. Ctrl-C ends it
after what is being saved; what was imported stays.

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
      process.exitCode = await withAttributes(options.dir, ({ attributes: all }) =>
        importFile(all, type, file, options),
      );
    });
}

async function importFile(
  attributes: Attributes,
  type: string,
  file: string,
  options: ImportOptions,
): Promise<number> {
  const startedAt = Date.now();
  const interruption = onInterruption();
  const { signal } = interruption;
  let imported: Imported;
  try {
    if (options.create) await create(attributes, type, file, { ...options, signal });
    imported = await importRows(attributes, type, file, { ...options, signal });
  } finally {
    interruption.dispose();
  }
  const { read, added, changed } = imported;
  if (signal.aborted) {
    process.stderr.write(
      `${counted(read, 'entity was', 'entities were')} imported. Import the file again for the rest: what is there is found by its key.\n`,
    );
    return interruption.exitCode;
  }
  if (options.json) printJson(imported);
  else
    process.stdout.write(
      `  ${pc.green('✓')} ${type}  ${formatCount(read)} read, ${formatCount(added)} added, ${formatCount(changed)} changed in ${formatDuration(Date.now() - startedAt)}\n`,
    );
  return EXIT.ok;
}

type Interruptible = ImportOptions & { readonly signal: AbortSignal };

/** Saves what a file has, batch by batch, to its end or until the signal is aborted. */
async function importRows(
  attributes: Attributes,
  type: string,
  file: string,
  options: Interruptible,
): Promise<Imported> {
  const { signal } = options;
  const known = new Map(
    (await attributes.entities.attributes(type)).map((attribute) => [attribute.name, attribute]),
  );
  let imported: Imported = { read: 0, added: 0, changed: 0 };
  let batch: EntityInput[] = [];
  const line = new ImportLine(process.stderr, file);
  const rows = new CsvRows(file, options, signal);
  try {
    for await (const row of rows) {
      batch.push(inputOf(row, known, options, imported.read + batch.length));
      if (batch.length < AT_ONCE) continue;
      imported = await saveBatch(attributes, type, batch, imported);
      batch = [];
      line.show(rows.bytes, imported);
    }
    if (batch.length === 0 || signal.aborted) return imported;
    return await saveBatch(attributes, type, batch, imported);
  } finally {
    line.end();
  }
}

/** @returns what there is with it */
async function saveBatch(
  attributes: Attributes,
  type: string,
  batch: readonly EntityInput[],
  imported: Imported,
): Promise<Imported> {
  const by = { principal: 'import', now: new Date(), isImport: true };
  try {
    const saved = await attributes.entities.saveEntities(type, batch, by);
    const changed = saved.filter((one) => !one.isNew && one.changed.length > 0);
    return {
      read: imported.read + saved.length,
      added: imported.added + saved.filter(({ isNew }) => isNew).length,
      changed: imported.changed + changed.length,
    };
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
  options: Interruptible,
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
  for await (const row of new CsvRows(file, options, options.signal)) {
    looked.push(row);
    if (looked.length >= LOOKED_AT) break;
  }
  // What was not read to its end tells no types.
  if (options.signal.aborted) return;
  const types = columnTypes(looked);
  for (const [name, dataType] of types) {
    if (known.has(name) || name === options.key || name === options.label) continue;
    await entities.addAttribute(type, { ...ATTRIBUTE_DEFAULTS, name, dataType }, by);
  }
}
