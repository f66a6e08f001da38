import { z } from 'zod';
import { isPlainObject } from '../../../src/definition/json.js';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSource, type UnreadableRow } from '../../../src/data-flow/source.js';
import { excerpt } from './file-error.js';
import { appended, maxRowBytes, sourcePath } from './file-options.js';
import { fileRows, type FileRecords, type ReadRecords } from './file-rows.js';

const NdjsonSourceOptions = z.strictObject({ path: sourcePath, maxRowBytes, appended });

/**
 * Reads a file that has a JSON object on each line (NDJSON, JSON Lines), and what is appended to it later. Blank lines are
 * skipped, and lines that are no objects rejected. A file that has been replaced or edited is read from its beginning.
 *
 * Ends with permanent errors: `FileNotFound`, `InvalidRow` with the line for one that is too long, `UnsupportedEncoding`.
 */
export const ndjsonSource = defineSource({
  name: 'ndjson',
  description: 'Reads a file with a JSON object on each line, and what is appended to it later.',
  options: NdjsonSourceOptions,
  read: ({ options, dir, run, cursor, batchSize, signal }) =>
    fileRows(
      { dir, path: options.path, flow: run.name, cursor, batchSize, signal },
      {
        encoding: 'utf8',
        quote: undefined,
        skipBlankLines: true,
        maxRowBytes: options.maxRowBytes,
        appended: options.appended,
        rows: jsonRows,
      },
    ),
});

function jsonRows({ bytes, firstLine }: FileRecords): ReadRecords {
  const rows: Row[] = [];
  const rejected: UnreadableRow[] = [];
  for (const [index, line] of bytes.toString().split('\n').entries()) {
    if (line.trim() === '') continue;
    const read = jsonRow(line);
    if (typeof read !== 'string') {
      rows.push(read);
      continue;
    }
    const reason = `line ${String(firstLine + index)}: ${read}`;
    rejected.push({ at: rows.length + rejected.length, reason, row: line.trimEnd() });
  }
  return { rows, rejected };
}

/** The row of a line, or what is wrong with it. */
function jsonRow(line: string): Row | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `This is not JSON: ${excerpt(error instanceof Error ? error.message : String(error))}`;
  }
  return isPlainObject(value) ? value : 'This is JSON, but not an object.';
}
