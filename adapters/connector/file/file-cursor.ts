import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import type { Json } from '../../../src/definition/json.js';
import { permanent } from '../../../src/pipeline/permanent.js';

/** Bytes at the beginning, and before the cursor, by which a file is known again. */
const FINGERPRINT_BYTES = 4_096;

const NEWLINE = 0x0a;

/** How far a file has been read, and how to tell that it is still the same file. */
export const FileCursor = z.object({
  /** Bytes up to the end of the last row that was given. */
  offset: z.int().min(0),
  /** Rows that were given. */
  row: z.int().min(0),
  /** Lines up to the offset. */
  line: z.int().min(0),
  /** Names of the columns; null for files that have none. */
  header: z.array(z.string()).nullable(),
  /** SHA-256 of the first bytes of the file, and of the last ones before the offset. */
  head: z.string(),
  tail: z.string(),
  /** Of the file when it was read: bytes, and milliseconds since the epoch. */
  size: z.int().min(0),
  mtimeMs: z.number(),
});

/** See {@link FileCursor}. */
export type FileCursor = z.output<typeof FileCursor>;

/** A place in a file. */
export type FilePlace = Pick<FileCursor, 'offset' | 'row' | 'line' | 'header'>;

/** The beginning of a file. */
export const BEGINNING: FilePlace = { offset: 0, row: 0, line: 0, header: null };

/**
 * Where to go on in a file: at the cursor when the file has been appended to or was not read to its end, at the beginning when
 * it is another file or an edited one.
 *
 * @returns undefined when there is nothing new
 * @throws a permanent error of type `InvalidCursor`
 */
export async function placeToGoOn(
  file: FileHandle,
  cursor: Json | undefined,
): Promise<FilePlace | undefined> {
  if (cursor === undefined || cursor === null) return BEGINNING;
  const parsed = FileCursor.safeParse(cursor);
  if (!parsed.success) {
    throw permanent('The cursor is not one of a file. Reset the flow.', cursor, 'InvalidCursor');
  }
  const known = parsed.data;
  const { size, mtimeMs } = await file.stat();
  if (size < known.offset || size < known.size) return BEGINNING;
  const now = await new Fingerprint(file).at(known.offset);
  if (now.head !== known.head || now.tail !== known.tail) return BEGINNING;
  const readToEnd = known.offset === size;
  if (readToEnd && mtimeMs === known.mtimeMs) return undefined;
  // Edited in the middle, or only touched: nobody can tell.
  if (readToEnd && known.size === size) return BEGINNING;
  return (await lastRowIsLonger(file, known.offset)) ? BEGINNING : known;
}

/** The last row had no line break when it was read, and has become longer since: it is another row now. */
async function lastRowIsLonger(file: FileHandle, offset: number): Promise<boolean> {
  if (offset === 0) return false;
  const around = await readAt(file, offset - 1, 3);
  if (around.length < 2 || around[0] === NEWLINE) return false;
  return !/^(\r?\n|\r$)/.test(around.toString('latin1', 1));
}

/** Gives the hashes by which a file is known again. */
export class Fingerprint {
  readonly #file: FileHandle;
  #head: { readonly bytes: number; readonly hash: string } | undefined;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * The hashes for a cursor at an offset.
   *
   * @param before - bytes that end at the offset, where the caller has them; too few of them are read again
   */
  async at(offset: number, before?: Buffer): Promise<Pick<FileCursor, 'head' | 'tail'>> {
    const bytes = Math.min(offset, FINGERPRINT_BYTES);
    if (this.#head?.bytes !== bytes)
      this.#head = { bytes, hash: sha256(await readAt(this.#file, 0, bytes)) };
    const tail =
      before !== undefined && before.length >= bytes
        ? before.subarray(before.length - bytes)
        : await readAt(this.#file, offset - bytes, bytes);
    return { head: this.#head.hash, tail: sha256(tail) };
  }
}

/** Up to `length` bytes from a position: fewer only at the end of the file. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
