import { createReadStream } from 'node:fs';
import { addAbortSignal, pipeline } from 'node:stream';
import { parse, type Parser } from 'csv-parse';
import { UsageError } from '../exit-code.js';
import type { Row } from './import-columns.js';

/** Most characters of a row. */
const MOST_CHARACTERS = 1_000_000;

/** The rows of a CSV file whose first line has the names of the columns. */
export class CsvRows {
  readonly #parser: Parser;

  constructor(
    private readonly file: string,
    { delimiter }: { readonly delimiter: string },
    private readonly signal: AbortSignal,
  ) {
    this.#parser = parse({
      columns: true,
      bom: true,
      delimiter,
      skip_empty_lines: true,
      max_record_size: MOST_CHARACTERS,
    });
    // Errors of either come out of the rows.
    pipeline(addAbortSignal(signal, createReadStream(file)), this.#parser, () => undefined);
  }

  /** Bytes of the file that were read so far. */
  get bytes(): number {
    return this.#parser.info.bytes;
  }

  /** Once: to the end of the file, or until the signal is aborted. @throws {@link UsageError} for a file that cannot be read as CSV */
  async *[Symbol.asyncIterator](): AsyncGenerator<Row> {
    try {
      // With `columns`, every row is such an object.
      for await (const row of this.#parser) yield row as Row;
    } catch (error) {
      if (this.signal.aborted) return;
      throw error instanceof Error && error.name === 'Error' && 'code' in error
        ? new UsageError(`${this.file}: ${error.message}`)
        : error;
    }
  }
}
