import { CsvError, parse, type InfoRecord, type Options } from 'csv-parse/sync';
import type { Row } from '../../../src/data-flow/row.js';
import type { UnreadableRow } from '../../../src/data-flow/source.js';
import { fits, misfit, rowOf, type CsvColumns } from './csv-columns.js';
import { invalidRow } from './file-error.js';
import type { FileRecords, ReadRecords } from './file-rows.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Reads records of which some are broken. One that the parser gives up ends with the line where it does so: what follows is read
 * anew, whatever quotes have made it look like.
 *
 * @throws a permanent error of type `InvalidRow` for a quote that is never closed and has other lines behind it: they may be part
 *   of the field or rows
 */
export function salvagedRows(
  records: FileRecords,
  columns: CsvColumns,
  parser: Options,
): ReadRecords {
  const salvage = new Salvage(records, columns, parser);
  const unclosed = salvage.read();
  // With something before it, it is looked at again: more of it may be in the file than here.
  if (unclosed === undefined || salvage.count > 0) return salvage.result;
  if (!salvage.isLastLine) throw invalidRow(records.path, salvage.line, unclosed);
  salvage.reject(records.bytes.length, unclosed);
  return salvage.result;
}

/**
 * Reads the beginning of a record that is too long, as far as it is not: a quote in a broken record makes one of it and of those
 * behind it.
 *
 * @returns undefined when it is just too long
 */
export function rowsOfCut(
  beginning: FileRecords,
  columns: CsvColumns,
  parser: Options,
): ReadRecords | undefined {
  const salvage = new Salvage(beginning, columns, parser);
  salvage.read();
  return salvage.beginsBroken ? salvage.result : undefined;
}

/** A record that the parser has read. */
interface ParsedRecord {
  readonly fields: readonly string[];
  /** Byte behind it, and behind its line break. */
  readonly end: number;
}

class Salvage {
  readonly #records: FileRecords;
  readonly #bytes: Buffer;
  readonly #columns: CsvColumns;
  readonly #parser: Options;
  readonly #rows: Row[] = [];
  readonly #rejected: UnreadableRow[] = [];
  /** Byte where the next record begins. */
  #at = 0;
  /** The line of a byte. Lines are counted from there. */
  #known: { readonly byte: number; readonly line: number };
  #beginsBroken = false;

  constructor(records: FileRecords, columns: CsvColumns, parser: Options) {
    this.#records = records;
    this.#bytes = records.bytes;
    this.#columns = columns;
    this.#parser = parser;
    this.#known = { byte: 0, line: records.firstLine };
    this.#moveTo(0);
  }

  get result(): ReadRecords {
    return { rows: this.#rows, rejected: this.#rejected, bytes: this.#at };
  }

  get count(): number {
    return this.#rows.length + this.#rejected.length;
  }

  /** The parser has given up the first record, which ends before the others. */
  get beginsBroken(): boolean {
    return this.#beginsBroken;
  }

  /** The line where the next record begins. */
  get line(): number {
    let { byte, line } = this.#known;
    for (; byte < this.#at; byte = this.#lineEnd(byte)) line += 1;
    this.#known = { byte, line };
    return line;
  }

  /** Behind the line where the next record begins there is nothing. */
  get isLastLine(): boolean {
    const end = this.#lineEnd(this.#at);
    return this.#bytes.toString('latin1', end).trim() === '';
  }

  /** @returns what the parser says of a quote that is not closed, where it has come to one */
  read(): string | undefined {
    while (this.#at < this.#bytes.length && this.count < this.#records.limit) {
      const { parsed, error } = this.#parse();
      for (const record of parsed) this.#take(record);
      if (error === undefined) {
        if (this.count < this.#records.limit) this.#moveTo(this.#bytes.length);
        continue;
      }
      const reason = error.message.replace(/ at line \d+/, '');
      const end = this.#brokenEnd(error);
      if (end === undefined) return reason;
      this.#beginsBroken ||= this.count === 0;
      this.reject(end, reason);
    }
    return undefined;
  }

  /** Rejects what is up to a byte. */
  reject(end: number, reason: string): void {
    const text = this.#bytes.toString(this.#records.encoding, this.#at, end);
    this.#rejected.push({
      at: this.count,
      reason: `line ${String(this.line)}: ${reason}`,
      row: text.replace(/[\r\n]+$/, ''),
    });
    this.#moveTo(end);
  }

  #take({ fields, end }: ParsedRecord): void {
    if (!fits(fields, this.#columns)) {
      this.reject(end, misfit(fields, this.#columns));
      return;
    }
    this.#rows.push(rowOf(fields, this.#columns));
    this.#moveTo(end);
  }

  /** Records from here on, up to the first that is broken. */
  #parse(): { readonly parsed: readonly ParsedRecord[]; readonly error: CsvError | undefined } {
    const start = this.#at;
    const parsed: ParsedRecord[] = [];
    const collect = (fields: readonly string[], { bytes }: InfoRecord): null => {
      parsed.push({ fields, end: start + bytes });
      return null;
    };
    const to = this.#records.limit - this.count;
    const options = { ...this.#parser, to, on_record: collect };
    return { parsed, error: csvError(this.#bytes.subarray(start), options) };
  }

  /**
   * The end of the line where the parser gives the record up that begins here; undefined when it waits for a quote to the end. Found by
   * giving it the first line, the first two, four and so on, and then halves of what made the difference.
   */
  #brokenEnd({ code }: CsvError): number | undefined {
    if (code === UNCLOSED) return undefined;
    let fine = this.#at;
    let end = this.#lineEnd(fine);
    for (let lines = 1; !this.#isBrokenAt(end); lines *= 2) {
      if (end === this.#bytes.length) return undefined;
      fine = end;
      for (let more = 0; more < lines; more += 1) end = this.#lineEnd(end);
    }
    for (let next = this.#lineEnd(fine); next < end; next = this.#lineEnd(fine)) {
      const before = this.#bytes.lastIndexOf(NEWLINE, Math.floor((fine + end) / 2) - 1) + 1;
      const half = Math.max(next, before);
      if (this.#isBrokenAt(half)) end = half;
      else fine = half;
    }
    return end;
  }

  #isBrokenAt(end: number): boolean {
    const error = csvError(this.#bytes.subarray(this.#at, end), { ...this.#parser, to: 1 });
    return error !== undefined && error.code !== UNCLOSED;
  }

  #lineEnd(from: number): number {
    const newline = this.#bytes.indexOf(NEWLINE, from);
    return newline === -1 ? this.#bytes.length : newline + 1;
  }

  /** Goes on at a byte, or behind the blank lines there. */
  #moveTo(byte: number): void {
    this.#at = byte;
    if (this.#parser.skip_empty_lines !== true) return;
    const bytes = this.#bytes;
    for (;;) {
      const length = bytes[this.#at] === RETURN ? 2 : 1;
      if (bytes[this.#at + length - 1] !== NEWLINE) return;
      this.#at += length;
    }
  }
}

const UNCLOSED = 'CSV_QUOTE_NOT_CLOSED';

function csvError(bytes: Buffer, options: Options): CsvError | undefined {
  try {
    parse(bytes, options);
    return undefined;
  } catch (error) {
    if (error instanceof CsvError) return error;
    throw error;
  }
}
