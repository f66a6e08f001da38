import { z } from 'zod';
import { isPlainObject } from '../../../src/definition/json.js';
import type { Row } from '../../../src/data-flow/row.js';
import { defineSource } from '../../../src/data-flow/source.js';
import { excerpt, invalidRow } from './file-error.js';
import { appended, maxRowBytes, sourcePath } from './file-options.js';
import { fileRows, type RecordText } from './file-rows.js';

const NdjsonSourceOptions = z.strictObject({ path: sourcePath, maxRowBytes, appended });

/**
 * Reads a file that has a JSON object on each line (NDJSON, JSON Lines), and what is appended to it later. Blank lines are
 * skipped. A file that has been replaced or edited is read from its beginning.
 *
 * Ends with permanent errors: `FileNotFound`, `InvalidRow` with the line, `UnsupportedEncoding`.
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

function jsonRows({ text, path, firstLine }: RecordText): readonly Row[] {
  const rows: Row[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    rows.push(jsonRow(line, path, firstLine + index));
  }
  return rows;
}

function jsonRow(line: string, path: string, lineNumber: number): Row {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw invalidRow(path, lineNumber, `This is not JSON: ${excerpt(line)}`);
  }
  if (isPlainObject(value)) return value;
  throw invalidRow(path, lineNumber, `This is JSON, but not an object: ${excerpt(line)}`);
}
