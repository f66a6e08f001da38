import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
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

/** A file to which batches are added, each of them safe on the disk before the next. */
export class FileWriter {
  readonly path: string;
  readonly #file: FileHandle;
  #bytes: number;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * Opens the file and its folder, made where they are missing, and cuts off what does not count.
   *
   * @throws a permanent error of type `FileTruncated` when the file is shorter than what was written
   */
  static async open({ dir, path: name, bytes, append }: FileWriterOptions): Promise<FileWriter> {
    const absolute = path.resolve(dir, name);
    try {
      await mkdir(path.dirname(absolute), { recursive: true });
      const file = await open(absolute, (bytes ?? 0) > 0 ? 'r+' : CREATED_WHERE_MISSING);
      try {
        const { size } = await file.stat();
        const keep = bytes ?? (append ? size : 0);
        if (size < keep) throw truncated(absolute, size, keep);
        if (size > keep) await file.truncate(keep);
        return new FileWriter(absolute, file, keep);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw fileError(error, absolute);
    }
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
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        written,
        bytes.length - written,
        this.#bytes + written,
      );
      written += bytesWritten;
    }
    await this.#file.datasync();
    this.#bytes += bytes.length;
  }

  /** The file's first line; undefined when it is empty. */
  async firstLine(): Promise<string | undefined> {
    if (this.#bytes === 0) return undefined;
    const start = await readAt(this.#file, 0, Math.min(this.#bytes, MAX_FIRST_LINE_BYTES));
    const text = start.toString('utf8').replace(/^\uFEFF/, '');
    return text.split(/\r?\n/, 1)[0];
  }

  /** Whether what is written next begins a line. */
  async atLineStart(): Promise<boolean> {
    if (this.#bytes === 0) return true;
    return (await readAt(this.#file, this.#bytes - 1, 1))[0] === 0x0a;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function truncated(path: string, size: number, expected: number): Error {
  return permanent(
    `${path} has ${String(size)} bytes, but this flow has written ${String(expected)}: it was cut or replaced. Bring the file back, or reset the flow to write it anew.`,
    { path, size, expected },
    'FileTruncated',
  );
}
