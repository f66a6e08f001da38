import { CsvError, parse, type Options } from 'csv-parse/sync';
import { z } from 'zod';
import { defineSource } from '../../../src/data-flow/source.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { fits, rowOf, type CsvColumns } from './csv-columns.js';
import { rowsOfCut, salvagedRows } from './csv-salvage.js';
import { invalidRow } from './file-error.js';
import { appended, encoding, maxRowBytes, sourcePath } from './file-options.js';
import { fileRows, type FileRecords, type ReadRecords } from './file-rows.js';

const CsvSourceOptions = z.strictObject({
  path: sourcePath,
  encoding,
  maxRowBytes,
  appended,
  delimiter: z.string().min(1).max(8).default(',').describe('Between two fields.'),
  header: z
    .union([z.literal(true), z.array(z.string().min(1)).min(1)])
    .default(true)
    .describe(
      '`true`: the first line has the names of the columns. A list: their names, for files without such a line.',
    ),
  quote: z
    .union([z.string().regex(/^[\x21-\x7e]$/), z.literal(false)])
    .default('"')
    .describe(
      'Around fields that hold delimiters or line breaks; doubled inside of them. `false`: a quote is a character.',
    ),
  trim: z.boolean().default(false).describe('Removes blanks around fields that are not quoted.'),
  skipEmptyLines: z
    .boolean()
    .default(true)
    .describe('`false`: an empty line is a row with one empty field.'),
  relax: z
    .boolean()
    .default(false)
    .describe(
      'Takes rows with fewer fields, whose last properties are missing then, and rows with more, without those.',
    ),
});

type CsvSourceOptions = z.output<typeof CsvSourceOptions>;

/**
 * Reads a CSV file (RFC 4180), and what is appended to it later. A row is an object of texts: a contract makes numbers and
 * dates of them, and a record that is broken is rejected. A file that has been replaced or edited is read from its beginning.
 *
 * Ends with permanent errors: `FileNotFound`, `InvalidRow` with the line for what cannot be passed (too long, a quote that is never
 * closed), `InvalidHeader`, `UnsupportedEncoding`.
 */
export const csvSource = defineSource({
  name: 'csv',
  description: 'Reads the rows of a CSV file, and what is appended to it later.',
  options: CsvSourceOptions,
  read: ({ options, dir, run, cursor, batchSize, signal }) => {
    const parser = csvParser(options);
    const named = options.header === true ? null : uniqueNames(options.header, options.path);
    const columns = (header: readonly string[] | null): CsvColumns => ({
      names: named ?? header ?? [],
      relax: options.relax,
    });
    return fileRows(
      { dir, path: options.path, flow: run.name, cursor, batchSize, signal },
      {
        encoding: options.encoding,
        quote: options.quote === false ? undefined : options.quote,
        skipBlankLines: options.skipEmptyLines,
        maxRowBytes: options.maxRowBytes,
        appended: options.appended,
        ...(named === null && {
          header: (first: FileRecords) => uniqueNames(headerOf(first, parser), first.path),
        }),
        rows: (records, header) => csvRows(records, columns(header), parser),
        cutRows: (beginning, header) => rowsOfCut(beginning, columns(header), parser),
      },
    );
  },
});

function csvParser({
  delimiter,
  quote,
  trim,
  skipEmptyLines,
  encoding: fileEncoding,
}: CsvSourceOptions): Options {
  return {
    encoding: fileEncoding,
    delimiter,
    quote: quote === false ? null : quote,
    escape: quote === false ? null : quote,
    trim,
    skip_empty_lines: skipEmptyLines,
    columns: false,
    // Found out by itself it would be another one after going on in the middle of a file that has both.
    record_delimiter: ['\r\n', '\n'],
    // Counted below, where the line is known.
    relax_column_count: true,
  };
}

function headerOf({ bytes, path, firstLine }: FileRecords, parser: Options): readonly string[] {
  try {
    return parse(bytes, parser)[0] ?? [];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw invalidRow(path, firstLine, error.message.replace(/ at line \d+/, ''));
  }
}

/** Most batches have no broken record, and are read without looking where each of them is. */
function csvRows(records: FileRecords, columns: CsvColumns, parser: Options): ReadRecords {
  let lists: readonly (readonly string[])[];
  try {
    lists = parse(records.bytes, parser);
  } catch (error) {
    if (error instanceof CsvError) return salvagedRows(records, columns, parser);
    throw error;
  }
  if (!lists.every((list) => fits(list, columns))) return salvagedRows(records, columns, parser);
  return { rows: lists.map((list) => rowOf(list, columns)), rejected: [] };
}

function uniqueNames(names: readonly string[], path: string): readonly string[] {
  const wrong = names.find((name, index) => name === '__proto__' || names.indexOf(name) !== index);
  if (wrong === undefined) return names;
  throw permanent(
    `${path}: "${wrong}" cannot be the name of a column, or names two of them. Name the columns in \`header\`.`,
    { path, name: wrong },
    'InvalidHeader',
  );
}
