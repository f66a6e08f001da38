import { isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Json } from '../../../src/definition/json.js';
import type { Row } from '../../../src/data-flow/row.js';
import type { SourceBatch } from '../../../src/data-flow/source.js';
import { spoolPath, STANDARD_INPUT } from '../../../src/data-flow/standard-input.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { Fingerprint, placeToGoOn, readAt, type FilePlace } from './file-cursor.js';
import { fileError, invalidRow, rowTooLong } from './file-error.js';
import { RecordReader, type RecordGroup } from './record-reader.js';

const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** How the bytes of a file are read as text. */
export type FileEncoding = 'utf8' | 'latin1';

/** Some whole records as text, and where they are. */
export interface RecordText {
  readonly text: string;
  readonly path: string;
  /** Number of the line where they begin, from 1. */
  readonly firstLine: number;
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
  readonly header?: (first: RecordText) => readonly string[];
  readonly rows: (records: RecordText, header: readonly string[] | null) => readonly Row[];
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
    tooLong: (linesBefore) => rowTooLong(absolute, line + linesBefore + 1, format.maxRowBytes),
  });
  const fingerprint = new Fingerprint(file);
  const stats = new RecentStats(file);
  for (;;) {
    signal.throwIfAborted();
    const readHeader = header === null ? format.header : undefined;
    const group = await reader.next(readHeader === undefined ? batchSize : 1);
    if (group === undefined) return;
    const records = decoded(group, format.encoding, absolute, line + 1);
    offset += group.bytes.length;
    line += group.lines;
    if (readHeader !== undefined) {
      const names = readHeader(records);
      // Blank lines may come before it.
      header = names.length > 0 ? [...names] : null;
      continue;
    }
    const rows = format.rows(records, header);
    row += rows.length;
    const { size, mtimeMs } = await stats.current();
    const hashes = await fingerprint.at(offset, group.bytes);
    const cursor = { offset, row, line, header, ...hashes, size, mtimeMs };
    yield { rows, cursor, fraction: size === 0 ? 1 : Math.min(1, offset / size) };
  }
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

function decoded(
  { bytes }: RecordGroup,
  encoding: FileEncoding,
  absolute: string,
  firstLine: number,
): RecordText {
  if (encoding === 'utf8' && !isUtf8(bytes)) {
    throw invalidRow(
      absolute,
      firstLine + linesBeforeInvalid(bytes),
      'The text is not UTF-8. Set `encoding` if the file has another one.',
    );
  }
  return { text: bytes.toString(encoding), path: absolute, firstLine };
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
