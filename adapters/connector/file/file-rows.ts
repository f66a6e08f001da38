import { isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Json } from '../../../src/definition/json.js';
import type { Row } from '../../../src/data-flow/row.js';
import type { SourceBatch, UnreadableRow } from '../../../src/data-flow/source.js';
import { spoolPath, STANDARD_INPUT } from '../../../src/data-flow/standard-input.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { Fingerprint, placeToGoOn, readAt, type FilePlace } from './file-cursor.js';
import { fileError, invalidRow, rowTooLong } from './file-error.js';
import { RecordReader } from './record-reader.js';

const NEWLINE = 0x0a;
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** How the bytes of a file are read as text. */
export type FileEncoding = 'utf8' | 'latin1';

/** Some whole records, and where they are. */
export interface FileRecords {
  readonly bytes: Buffer;
  readonly encoding: FileEncoding;
  readonly path: string;
  /** Number of the line where they begin, from 1. */
  readonly firstLine: number;
  /** Most rows that are to be made of them. */
  readonly limit: number;
}

/** What a format has made of records. */
export interface ReadRecords {
  readonly rows: readonly Row[];
  readonly rejected: readonly UnreadableRow[];
  /** How many bytes it has read, where that is not all of them: a record that is broken may end elsewhere than it seemed to. */
  readonly bytes?: number;
}

/** What a format makes of a file's records. */
export interface FileFormat {
  readonly encoding: FileEncoding;
  /** See {@link RecordReader}. */
  readonly quote: string | undefined;
  readonly skipBlankLines: boolean;
  readonly maxRowBytes: number;
  readonly appended: boolean;
  /** Names of the columns where the file itself begins with them; they are asked for before the first rows. */
  readonly header?: (first: FileRecords) => readonly string[];
  readonly rows: (records: FileRecords, header: readonly string[] | null) => ReadRecords;
  /** For formats where a broken record may seem to be longer than it is: reads what is in its place, if that is so. */
  readonly cutRows?: (
    beginning: FileRecords,
    header: readonly string[] | null,
  ) => ReadRecords | undefined;
}

/** Where a file is and how much of it is wanted. */
export interface FileRequest {
  /** The folder where a relative path starts. */
  readonly dir: string;
  readonly path: string;
  /** Whose standard input `-` is. */
  readonly flow: string;
  readonly cursor: Json | undefined;
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Gives the rows of a file after the cursor. The file is closed when the iterator is. */
export async function* fileRows(
  request: FileRequest,
  format: FileFormat,
): AsyncGenerator<SourceBatch> {
  const name = request.path === STANDARD_INPUT ? spoolPath(request.flow) : request.path;
  const absolute = path.resolve(request.dir, name);
  const file = await opened(absolute, request);
  try {
    const place = await placeToGoOn(file, request.cursor);
    if (place !== undefined) yield* rowsFrom(file, absolute, place, request, format);
  } catch (error) {
    throw fileError(error, absolute);
  } finally {
    await file.close();
  }
}

async function opened(absolute: string, { path: name, flow }: FileRequest): Promise<FileHandle> {
  try {
    return await open(absolute, 'r');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || name !== STANDARD_INPUT) throw fileError(error, absolute);
    throw permanent(
      `Nothing was piped into this flow, or on another machine than the worker's. Start it there: millrace flows run ${flow} --stdin < FILE`,
      { path: absolute },
      'NoStandardInput',
    );
  }
}

async function* rowsFrom(
  file: FileHandle,
  absolute: string,
  from: FilePlace,
  { batchSize, signal }: FileRequest,
  format: FileFormat,
): AsyncGenerator<SourceBatch> {
  let { offset, row, line, header } = from;
  if (offset === 0) offset = await bomBytes(file, absolute);
  const reader = new RecordReader(file, {
    start: offset,
    quote: format.quote?.charCodeAt(0),
    maxRecordBytes: format.maxRowBytes,
    leaveUnfinished: format.appended,
    skipBlankLines: format.skipBlankLines,
  });
  const fingerprint = new Fingerprint(file);
  const stats = new RecentStats(file);
  for (;;) {
    signal.throwIfAborted();
    const readHeader = header === null ? format.header : undefined;
    const limit = readHeader === undefined ? batchSize : 1;
    const group = await reader.next(limit);
    if (group === undefined) return;
    const { encoding } = format;
    const place = { path: absolute, firstLine: line + 1, limit };
    const records = { ...place, bytes: group.bytes, encoding };
    if (readHeader !== undefined) {
      if (group.isCut) throw rowTooLong(absolute, line + 1, format.maxRowBytes);
      offset += group.bytes.length;
      line += group.lines;
      const names = readHeader(checked(records));
      // Blank lines may come before it.
      header = names.length > 0 ? [...names] : null;
      continue;
    }
    const { rows, rejected, bytes } = read(records, group.isCut, header, format);
    if (bytes < group.bytes.length) reader.putBack(bytes);
    offset += bytes;
    line += bytes < group.bytes.length ? lineBreaks(group.bytes, bytes) : group.lines;
    row += rows.length + rejected.length;
    const { size, mtimeMs } = await stats.current();
    const hashes = await fingerprint.at(offset, group.bytes.subarray(0, bytes));
    const cursor = { offset, row, line, header, ...hashes, size, mtimeMs };
    const fraction = size === 0 ? 1 : Math.min(1, offset / size);
    yield { rows, ...(rejected.length > 0 && { rejected }), cursor, fraction };
  }
}

/** @throws a permanent error of type `InvalidRow` for what cannot be passed */
function read(
  records: FileRecords,
  isCut: boolean,
  header: readonly string[] | null,
  format: FileFormat,
): Required<ReadRecords> {
  const { bytes, path: absolute, firstLine } = records;
  if (!isCut) return { bytes: bytes.length, ...format.rows(checked(records), header) };
  // Whole lines: the cut may go through a character.
  const lines = { ...records, bytes: bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1) };
  const found = format.cutRows?.(checked(lines), header);
  if (found === undefined) throw rowTooLong(absolute, firstLine, format.maxRowBytes);
  return { bytes: lines.bytes.length, ...found };
}

function lineBreaks(bytes: Buffer, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1 && at < end; lines += 1)
    at = bytes.indexOf(NEWLINE, at + 1);
  return lines;
}

/** The size and time of a file are asked for so often: each is a round through a thread, and a batch takes a millisecond. */
const STATS_MS = 50;

/**
 * What is known of a file that is being read. It may be a moment old: a file that changed since is then read once more, never
 * less.
 */
class RecentStats {
  #at = -Infinity;
  #known: { readonly size: number; readonly mtimeMs: number } = { size: 0, mtimeMs: 0 };

  constructor(private readonly file: FileHandle) {}

  async current(): Promise<{ readonly size: number; readonly mtimeMs: number }> {
    const now = performance.now();
    if (now - this.#at >= STATS_MS) {
      this.#at = now;
      this.#known = await this.file.stat();
    }
    return this.#known;
  }
}

function checked(records: FileRecords): FileRecords {
  const { bytes, encoding, path: absolute, firstLine } = records;
  if (encoding !== 'utf8' || isUtf8(bytes)) return records;
  throw invalidRow(
    absolute,
    firstLine + linesBeforeInvalid(bytes),
    'The text is not UTF-8. Set `encoding` if the file has another one.',
  );
}

function linesBeforeInvalid(bytes: Buffer): number {
  let lines = 0;
  for (let start = 0; start < bytes.length; lines += 1) {
    const newline = bytes.indexOf('\n', start);
    const end = newline === -1 ? bytes.length : newline + 1;
    if (!isUtf8(bytes.subarray(start, end))) return lines;
    start = end;
  }
  return lines;
}

/** Bytes of the mark at the beginning of a file that says what its encoding is. */
async function bomBytes(file: FileHandle, absolute: string): Promise<number> {
  const start = await readAt(file, 0, UTF8_BOM.length);
  if ((start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff)) {
    throw permanent(
      `${absolute} is a UTF-16 file. Convert it to UTF-8.`,
      { path: absolute },
      'UnsupportedEncoding',
    );
  }
  return start.equals(UTF8_BOM) ? UTF8_BOM.length : 0;
}
