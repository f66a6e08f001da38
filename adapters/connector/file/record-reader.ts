import type { FileHandle } from 'node:fs/promises';

/** Read from the file at once. */
const CHUNK_BYTES = 256 * 1024;

/** A group is cut here though it has fewer records than wanted, so that memory stays bounded. */
const MAX_GROUP_BYTES = 4 * 1024 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Records that follow each other in a file. */
export interface RecordGroup {
  /** From the beginning of the first one to the end of the last one, line breaks and blank lines included. */
  readonly bytes: Buffer;
  /** Line breaks in them. */
  readonly lines: number;
  /** These are only the beginning of one that is too long, or of one that a stray quote makes look so. */
  readonly isCut: boolean;
}

/** How {@link RecordReader} cuts a file. */
export interface RecordReaderOptions {
  /** Byte where the first record begins. */
  readonly start: number;
  /** The byte between two of which line breaks belong to the record; undefined where each line is one. */
  readonly quote: number | undefined;
  /** Longest record. */
  readonly maxRecordBytes: number;
  /** Leaves a last record alone that has no line break: somebody may still be writing it. */
  readonly leaveUnfinished: boolean;
  /** Adds blank lines to the group before them, so that what is left after the last record is not left over. */
  readonly skipBlankLines: boolean;
}

/** Cuts a file into groups of whole records, without looking into them. Keeps no more than one group and one chunk in memory. */
export class RecordReader {
  readonly #file: FileHandle;
  readonly #options: RecordReaderOptions;
  /** Begins with the next group. */
  #buffer: Buffer = Buffer.alloc(0);
  /** The buffer as it was before the last group was cut off. */
  #before: Buffer = this.#buffer;
  /** Byte of the file after the buffer. */
  #position: number;
  #ended = false;

  // Of the group that is being read, as places in the buffer.
  #scanned = 0;
  #quoting = false;
  #nextQuote = -1;
  #lines = 0;

  constructor(file: FileHandle, options: RecordReaderOptions) {
    this.#file = file;
    this.#options = options;
    this.#position = options.start;
  }

  /** The next records, at most `limit` of them; undefined when there are no more. */
  async next(limit: number): Promise<RecordGroup | undefined> {
    this.#lines = 0;
    let end = 0;
    let isCut = false;
    for (let records = 0; records < limit && end < MAX_GROUP_BYTES; records += 1) {
      const linesBefore = this.#lines;
      const recordEnd = await this.#recordEnd(end);
      const isTooLong = recordEnd !== undefined && recordEnd - end > this.#options.maxRecordBytes;
      if (recordEnd === undefined || (isTooLong && end > 0)) {
        // It is looked at again with the next group.
        this.#lines = linesBefore;
        this.#nextQuote = -1;
        break;
      }
      end = recordEnd;
      isCut = isTooLong;
      if (isCut) break;
    }
    if (end === 0) return undefined;
    if (this.#options.skipBlankLines && !isCut) end = await this.#blankLinesEnd(end);
    this.#before = this.#buffer;
    this.#buffer = this.#before.subarray(end);
    this.#scanned = 0;
    this.#nextQuote -= end;
    return { bytes: this.#before.subarray(0, end), lines: this.#lines, isCut };
  }

  /** Takes back what the last group has behind so many bytes: its records end elsewhere than quotes made it look. */
  putBack(bytes: number): void {
    this.#buffer = this.#before.subarray(bytes);
    this.#nextQuote = -1;
  }

  /** Where the record ends that begins at `start`, or the buffer in it, if it is too long; undefined when there is none. */
  async #recordEnd(start: number): Promise<number | undefined> {
    this.#quoting = false;
    for (;;) {
      const end = this.#scan();
      if (end !== undefined) return end;
      if (this.#buffer.length - start > this.#options.maxRecordBytes) return this.#buffer.length;
      if (await this.#fill()) continue;
      if (this.#buffer.length === start || this.#options.leaveUnfinished) return undefined;
      return this.#buffer.length;
    }
  }

  /** Goes on to the next line break that ends a record; undefined when the buffer ends before it. */
  #scan(): number | undefined {
    while (this.#scanned < this.#buffer.length) {
      const newline = this.#buffer.indexOf(NEWLINE, this.#scanned);
      this.#countQuotes(newline === -1 ? this.#buffer.length : newline);
      this.#scanned = newline === -1 ? this.#buffer.length : newline + 1;
      if (newline === -1) return undefined;
      this.#lines += 1;
      if (!this.#quoting) return this.#scanned;
    }
    return undefined;
  }

  /** A doubled quote changes nothing twice, so counting is all it takes. The next quote is kept, as it may be far away. */
  #countQuotes(end: number): void {
    const { quote } = this.#options;
    if (quote === undefined) return;
    if (this.#nextQuote < this.#scanned) this.#findQuote(quote, this.#scanned);
    while (this.#nextQuote < end) {
      this.#quoting = !this.#quoting;
      this.#findQuote(quote, this.#nextQuote + 1);
    }
  }

  #findQuote(quote: number, from: number): void {
    const found = this.#buffer.indexOf(quote, from);
    this.#nextQuote = found === -1 ? this.#buffer.length : found;
  }

  async #blankLinesEnd(start: number): Promise<number> {
    let end = start;
    for (;;) {
      if (this.#buffer.length < end + 2) await this.#fill();
      const length = this.#buffer[end] === RETURN ? 2 : 1;
      if (this.#buffer[end + length - 1] !== NEWLINE) return end;
      end += length;
      this.#lines += 1;
      if (end >= MAX_GROUP_BYTES) return end;
    }
  }

  /** @returns false at the end of the file */
  async #fill(): Promise<boolean> {
    if (this.#ended) return false;
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await this.#file.read(chunk, 0, CHUNK_BYTES, this.#position);
    this.#position += bytesRead;
    this.#ended = bytesRead === 0;
    if (bytesRead === 0) return false;
    // What was known of the old buffer's end is not known of the new one.
    if (this.#nextQuote >= this.#buffer.length) this.#nextQuote = -1;
    const read = chunk.subarray(0, bytesRead);
    this.#buffer = this.#buffer.length === 0 ? read : Buffer.concat([this.#buffer, read]);
    return true;
  }
}
