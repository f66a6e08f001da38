import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSink } from '../../../src/data-flow/sink.js';
import { unpredictable } from '../written.js';
import { append, sinkPath } from './file-options.js';
import { FileWriter } from './file-writer.js';
import { placeOf, sinkState, stateJson } from './sink-state.js';

const CsvSinkOptions = z.strictObject({
  path: sinkPath,
  append,
  delimiter: z.string().min(1).max(8).default(',').describe('Between two fields.'),
  header: z.boolean().default(true).describe('The first line has the names of the columns.'),
  columns: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      'What is written, in this order. Otherwise the properties of the first row. Others are left out; missing ones are empty.',
    ),
});

type CsvSinkOptions = z.output<typeof CsvSinkOptions>;

/**
 * Writes rows to a CSV file (RFC 4180, with `\n`): dates as ISO 8601, objects and lists as JSON, null as an empty field. Each
 * batch is on the disk before its receipt; what a crash has left behind the last receipt is cut off before the next is written.
 * Another path is another file, which is begun: `({ scheduledAt }) => csvSink({ path: dayOf(scheduledAt) })` makes one for each day.
 */
export const csvSink = defineSink({
  name: 'csv',
  description: 'Writes rows to a CSV file.',
  options: CsvSinkOptions,
  open: async ({ options, dir, state }) => {
    const { path, append: appends } = options;
    const place = placeOf(dir, path);
    const known = sinkState(state, place);
    const file = await FileWriter.open({ dir, path, bytes: known?.bytes, append: appends });
    let columns = options.columns ?? known?.columns;
    return {
      state: stateJson(known ?? { path: place, bytes: file.bytes }),
      write: async ({ rows }) => {
        const [first] = rows;
        if (first !== undefined) {
          let text = (await file.atLineStart()) ? '' : '\n';
          const isEmpty = file.bytes === 0;
          columns ??= (await columnsOf(file, options)) ?? Object.keys(first);
          if (isEmpty && options.header) text += csvText([columns], options);
          text += csvText(inOrder(rows, columns), options);
          await file.write(text);
        }
        const after = { path: place, bytes: file.bytes, columns: columns && [...columns] };
        return { written: unpredictable(rows.length), state: stateJson(after) };
      },
      close: () => file.close(),
    };
  },
});

/** The columns of a file that has some already. */
async function columnsOf(
  file: FileWriter,
  { header, delimiter }: CsvSinkOptions,
): Promise<string[] | undefined> {
  const line = header ? await file.firstLine() : undefined;
  if (line === undefined) return undefined;
  // Without columns each record is a list of texts.
  const [names] = parse(line, { delimiter, columns: false });
  return names;
}

function inOrder(rows: readonly Row[], columns: readonly string[]): unknown[][] {
  return rows.map((row) =>
    columns.map((column) => (Object.hasOwn(row, column) ? row[column] : undefined)),
  );
}

function csvText(
  lines: unknown[][] | readonly (readonly string[])[],
  { delimiter }: CsvSinkOptions,
) {
  return stringify([...lines] as unknown[][], {
    delimiter,
    cast: {
      boolean: String,
      date: (date) => date.toISOString(),
      object: (value) => JSON.stringify(value),
    },
  });
}
