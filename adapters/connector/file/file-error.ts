import { permanent, type PermanentError } from '../../../src/pipeline/permanent.js';

/** Longest part of a row that a message repeats, in characters. */
const MAX_TOLD = 200;

/** A row of a file that cannot be read. A retry would find it again. */
export function invalidRow(path: string, line: number, reason: string): PermanentError {
  return permanent(`${path}, line ${String(line)}: ${reason}`, { path, line }, 'InvalidRow');
}

/** A row that is longer than the source may keep in memory. */
export function rowTooLong(path: string, line: number, maxRowBytes: number): PermanentError {
  return invalidRow(
    path,
    line,
    `The row is longer than maxRowBytes (${String(maxRowBytes)} bytes), or a quote in it is never closed.`,
  );
}

/** A text that may be long, as a message repeats it. */
export function excerpt(text: string): string {
  return text.length <= MAX_TOLD ? text : `${text.slice(0, MAX_TOLD)}…`;
}

/** An error of the file system as one of ours, where a retry would only repeat it; other errors as they are. */
export function fileError(error: unknown, path: string): unknown {
  switch (errorCode(error)) {
    case 'ENOENT':
      return permanent(
        `${path} does not exist. The file has to be on the machine of the worker that runs this flow.`,
        { path },
        'FileNotFound',
      );
    case 'EISDIR':
      return permanent(`${path} is a folder, not a file.`, { path }, 'FileNotFound');
    case 'ENOTDIR':
      return permanent(`${path} leads through a file that is no folder.`, { path }, 'FileNotFound');
    default:
      return error;
  }
}

/** Node's code of a system error, such as `ENOENT`. */
function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
