import { constants } from 'node:fs';
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { permanent } from '../../../src/pipeline/permanent.js';
import { readAt } from './file-cursor.js';
import { fileError } from './file-error.js';

/** Longest first line that is looked for in a file that is appended to. */
const MAX_FIRST_LINE_BYTES = 64 * 1024;

/** Unlike `w+` this leaves what a file has, and unlike `a+` it lets the place be chosen. */
const CREATED_WHERE_MISSING = constants.O_RDWR | constants.O_CREAT;

/** How a file is opened for writing. */
export interface FileWriterOptions {
  readonly dir: string;
  readonly path: string;
  /** Length of the file after the last batch that counts; undefined when there is none. */
  readonly bytes: number | undefined;
  /** Without `bytes`: keep what the file has. */
  readonly append: boolean;
}

/** A file to which batches are added, each of them safe on the disk before the next. Nothing is touched before the first. */
export class FileWriter {
  readonly path: string;
  #bytes: number;
  #file: Promise<FileHandle> | undefined;

  private constructor(path: string, bytes: number) {
    this.path = path;
    this.#bytes = bytes;
  }

  /**
   * Looks at the file. What does not count is cut off with the first text that is written: until then it may be a successor's.
   *
   * @throws a permanent error of type `FileTruncated` when the file is shorter than what was written
   */
  static async open({ dir, path: name, bytes, append }: FileWriterOptions): Promise<FileWriter> {
    const absolute = path.resolve(dir, name);
    const size = await sizeOf(absolute, (bytes ?? 0) > 0);
    const keep = bytes ?? (append ? size : 0);
    if (size < keep) throw truncated(absolute, size, keep);
    return new FileWriter(absolute, keep);
  }

  /** Length of the file, with all that was written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a text. It is on the disk when this resolves. A writer that goes on beside its successor writes the same bytes to the
   * same place, not once more to the end.
   */
  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const file = await this.#opened();
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await file.write(
        bytes,
        written,
        bytes.length - written,
        this.#bytes + written,
      );
      written += bytesWritten;
    }
    await file.datasync();
    this.#bytes += bytes.length;
  }

  /** The file's first line; undefined when it is empty. */
  async firstLine(): Promise<string | undefined> {
    if (this.#bytes === 0) return undefined;
    const start = await readAt(
      await this.#opened(),
      0,
      Math.min(this.#bytes, MAX_FIRST_LINE_BYTES),
    );
    const text = start.toString('utf8').replace(/^\uFEFF/, '');
    return text.split(/\r?\n/, 1)[0];
  }

  /** Whether what is written next begins a line. */
  async atLineStart(): Promise<boolean> {
    if (this.#bytes === 0) return true;
    return (await readAt(await this.#opened(), this.#bytes - 1, 1))[0] === 0x0a;
  }

  async close(): Promise<void> {
    // What it could not be opened for was told by the write.
    const file = await this.#file?.catch(() => undefined);
    await file?.close();
  }

  #opened(): Promise<FileHandle> {
    this.#file ??= openedAt(this.path, this.#bytes);
    return this.#file;
  }
}

/** The file, made with its folder where they are missing, and without what does not count. */
async function openedAt(absolute: string, keep: number): Promise<FileHandle> {
  try {
    await mkdir(path.dirname(absolute), { recursive: true });
    const file = await open(absolute, keep > 0 ? 'r+' : CREATED_WHERE_MISSING);
    try {
      const { size } = await file.stat();
      if (size < keep) throw truncated(absolute, size, keep);
      if (size > keep) await file.truncate(keep);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    throw fileError(error, absolute);
  }
}

/** Zero for a file that does not exist, where it need not. */
async function sizeOf(absolute: string, hasToBeThere: boolean): Promise<number> {
  try {
    const found = await stat(absolute);
    return found.isFile() ? found.size : 0;
  } catch (error) {
    if (!hasToBeThere && error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return 0;
    throw fileError(error, absolute);
  }
}

function truncated(path: string, size: number, expected: number): Error {
  return permanent(
    `${path} has ${String(size)} bytes, but this flow has written ${String(expected)}: it was cut or replaced. Bring the file back, or reset the flow to write it anew.`,
    { path, size, expected },
    'FileTruncated',
  );
}
