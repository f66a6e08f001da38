import { describe, expect, it } from '@jest/globals';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ndjsonSource } from '../../../adapters/connector/file/ndjson-source.js';
import type { SourceBatch } from '../../../src/data-flow/source.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batchesOf, errorOf, lastCursor, reading, rowsOf } from './reading.js';

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
    ['no JSON', '{"a":', /^line 3: This is not JSON: .*JSON/],
    ['no object', '[1]', 'line 3: This is JSON, but not an object.'],
    ['null', 'null', 'line 3: This is JSON, but not an object.'],
  ])('that are %s are rejected with their text, and the others go on', async (_name, line, why) => {
    await file(`{"a":1}\n\n${line}\r\n{"a":2}\n`);
    for (const batchSize of [1, 2, 200]) {
      const batches = await batchesOf(ndjsonSource, PATH, { dir: folder.path, batchSize });
      expect(batches.flatMap(({ rows }) => rows)).toEqual([{ a: 1 }, { a: 2 }]);
      expect(batches.flatMap(({ rejected = [] }) => rejected)).toEqual([
        { at: batchSize === 200 ? 1 : 0, row: line, reason: expect.stringMatching(why) },
      ]);
      const [{ cursor }] = batches as [SourceBatch];
      expect(await rowsOf(ndjsonSource, PATH, { dir: folder.path, cursor })).toEqual(
        batchSize === 200 ? [] : [{ a: 2 }],
      );
    }
  });

  it('that are too long are permanent errors with file and line, behind what comes before', async () => {
    await file(`{"a":1}\n{"a":"${'x'.repeat(200)}"}`);
    const options = { ...PATH, maxRowBytes: 100 };
    const error = await errorOf(ndjsonSource, options, { dir: folder.path });
    const message = `${join(folder.path, 'rows.ndjson')}, line 2: The row is longer than maxRowBytes`;
    expect(error).toMatchObject({ type: 'InvalidRow', message: expect.stringContaining(message) });
    for await (const { rows } of reading(ndjsonSource, options, { dir: folder.path })) {
      expect(rows).toEqual([{ a: 1 }]);
      break;
    }
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
