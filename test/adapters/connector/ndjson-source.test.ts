import { describe, expect, it } from '@jest/globals';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ndjsonSource } from '../../../adapters/connector/file/ndjson-source.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { errorOf, lastCursor, rowsOf } from './reading.js';

const folder = useTemporaryDirectory();
const PATH = { path: 'rows.ndjson' };

async function file(content: string): Promise<void> {
  await writeFile(join(folder.path, PATH.path), content);
}

const ROWS = Array.from({ length: 230 }, (_, index) => ({
  id: index,
  text: ['plain', 'naïve – 東京 🚂', 'two\nlines', ''][index % 4]!,
  nested: { list: [index, null, true] },
}));

describe.each([
  ['line feeds', '', '\n'],
  ['CRLF', '', '\r\n'],
  ['a byte order mark and blank lines', '\uFEFF', '\n\n \n'],
])('a file with %s', (_name, mark, newline) => {
  const checks = sourceChecks({
    source: ndjsonSource,
    setUp: async () => {
      await file(mark + ROWS.map((row) => JSON.stringify(row) + newline).join(''));
      const change = async () => {
        await appendFile(join(folder.path, PATH.path), `{"id":-1}${newline}`);
        return [{ id: -1 }];
      };
      return { options: PATH, rows: ROWS, dir: folder.path, change };
    },
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());
});

describe('lines', () => {
  it.each([
    ['no JSON', '{"a":1}\n\n{"a":\n', 'line 3: This is not JSON: {"a":'],
    ['no object', '{"a":1}\n[1]\n', 'line 2: This is JSON, but not an object: [1]'],
    ['null', 'null\n', 'line 1: This is JSON, but not an object: null'],
    [
      'too long',
      `{"a":1}\n{"a":"${'x'.repeat(200)}"}`,
      'line 2: The row is longer than maxRowBytes',
    ],
  ])('that are %s are permanent errors with file and line', async (_name, content, message) => {
    await file(content);
    const error = await errorOf(ndjsonSource, { ...PATH, maxRowBytes: 100 }, { dir: folder.path });
    expect(error).toMatchObject({ type: 'InvalidRow', message: expect.stringContaining(message) });
    expect((error as Error).message).toContain(join(folder.path, 'rows.ndjson'));
  });

  it('that are appended are read by the next run, finished ones only', async () => {
    const options = { ...PATH, appended: true };
    await file('{"a":1}\n{"a":2');
    const cursor = await lastCursor(ndjsonSource, options, { dir: folder.path });
    expect(await rowsOf(ndjsonSource, options, { dir: folder.path })).toEqual([{ a: 1 }]);
    await appendFile(join(folder.path, PATH.path), '2}\n{"a":3}');
    expect(await rowsOf(ndjsonSource, options, { dir: folder.path, cursor })).toEqual([{ a: 22 }]);
    expect(await rowsOf(ndjsonSource, PATH, { dir: folder.path, cursor })).toEqual([
      { a: 22 },
      { a: 3 },
    ]);
  });
});
