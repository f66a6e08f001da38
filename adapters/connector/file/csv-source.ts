import { CsvError, parse, type Options } from 'csv-parse/sync';
import { z } from 'zod';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSource } from '../../../src/data-flow/source.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { invalidRow } from './file-error.js';
import { appended, encoding, maxRowBytes, sourcePath } from './file-options.js';
import { fileRows, type RecordText } from './file-rows.js';

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
 * dates of them. A file that has been replaced or edited is read from its beginning.
 *
 * Ends with permanent errors: `FileNotFound`, `InvalidRow` with the line, `InvalidHeader`, `UnsupportedEncoding`.
 */
export const csvSource = defineSource({
  name: 'csv',
  description: 'Reads the rows of a CSV file, and what is appended to it later.',
  options: CsvSourceOptions,
  read: ({ options, dir, run, cursor, batchSize, signal }) => {
    const parserOptions = csvParserOptions(options);
    const named = options.header === true ? null : uniqueNames(options.header, options.path);
    return fileRows(
      { dir, path: options.path, flow: run.name, cursor, batchSize, signal },
      {
        encoding: options.encoding,
        quote: options.quote === false ? undefined : options.quote,
        skipBlankLines: options.skipEmptyLines,
        maxRowBytes: options.maxRowBytes,
        appended: options.appended,
        ...(named === null && {
          header: (first: RecordText) =>
            uniqueNames(fields(first, parserOptions)[0] ?? [], first.path),
        }),
        rows: (records, header) => csvRows(records, named ?? header ?? [], options, parserOptions),
      },
    );
  },
});

function csvParserOptions({ delimiter, quote, trim, skipEmptyLines }: CsvSourceOptions): Options {
  return {
    delimiter,
    quote: quote === false ? null : quote,
    escape: quote === false ? null : quote,
    trim,
    skip_empty_lines: skipEmptyLines,
    columns: false,
    // Found out by itself it would be another one after going on in the middle of a file that has both.
    record_delimiter: ['\r\n', '\n'],
    // Counted below, where the file's name and line are known.
    relax_column_count: true,
  };
}

function csvRows(
  records: RecordText,
  names: readonly string[],
  { relax }: CsvSourceOptions,
  parserOptions: Options,
): readonly Row[] {
  const lists = fields(records, parserOptions);
  return lists.map((list, index) => {
    if (list.length !== names.length && !relax) {
      throw invalidRow(
        records.path,
        lineOf(records, index, parserOptions),
        `The row has ${String(list.length)} fields, the columns are ${String(names.length)} (${names.join(', ')}). Set \`relax\` to take it anyway.`,
      );
    }
    const row: Record<string, string> = {};
    for (let column = 0; column < names.length && column < list.length; column += 1) {
      row[names[column] as string] = list[column] as string;
    }
    return row;
  });
}

/** The fields of each record. */
function fields(
  { text, path, firstLine }: RecordText,
  parserOptions: Options,
): readonly (readonly string[])[] {
  try {
    // Without columns each record is a list of texts.
    return parse(text, parserOptions);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The parser counts lines within the text that it is given.
    const lines: unknown = error['lines'];
    const line = firstLine + (typeof lines === 'number' ? lines - 1 : 0);
    throw invalidRow(path, line, error.message.replace(/ at line \d+/, ''));
  }
}

/** The line where a record begins. Parses the records again: only errors ask for it. */
function lineOf({ text, firstLine }: RecordText, index: number, parserOptions: Options): number {
  const located = parse(text, { ...parserOptions, info: true }) as unknown as readonly {
    readonly info: { readonly bytes: number };
  }[];
  const bytes = Buffer.from(text);
  let start = index === 0 ? 0 : (located[index - 1]?.info.bytes ?? 0);
  while (bytes[start] === 0x0d || bytes[start] === 0x0a) start += 1;
  return firstLine + bytes.toString('latin1', 0, start).split('\n').length - 1;
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
