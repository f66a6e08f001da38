import { describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csvSource } from '../../../adapters/connector/file/csv-source.js';
import type { SourceBatch } from '../../../src/data-flow/source.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batchesOf, errorOf, reading, type Reading } from './reading.js';

const folder = useTemporaryDirectory();
const PATH = { path: 'rows.csv' };

async function file(content: string | Buffer): Promise<void> {
  await writeFile(join(folder.path, PATH.path), content);
}

function batches(options: object = {}, how: Reading = {}) {
  return batchesOf(csvSource, { ...PATH, ...options }, { dir: folder.path, ...how });
}

/** What batches have, in its order: a row, or the text of what is none. */
function inOrder(all: readonly SourceBatch[]): readonly unknown[] {
  return all.flatMap(({ rows, rejected = [] }) => {
    const items: unknown[] = [];
    const rest = rows.values();
    for (let at = 0; at < rows.length + rejected.length; at += 1)
      items.push(rejected.find((one) => one.at === at)?.row ?? rest.next().value);
    return items;
  });
}

function reasons(all: readonly SourceBatch[]): readonly string[] {
  return all.flatMap(({ rejected = [] }) => rejected.map(({ reason }) => reason));
}

const GOOD = { a: '7', b: '8' };

describe('a broken row of a CSV file', () => {
  it.each([
    [
      'too few fields',
      '1,2\n"3\n3",4\n5\n7,8\n',
      ['5'],
      'line 5: The row has 1 fields, the columns are 2 (a, b). Set `relax` to take it anyway.',
    ],
    ['too many fields', '\n1,2\n\n3,4,5\n7,8\n', ['3,4,5'], 'line 5: The row has 3 fields'],
    [
      'a quote in a field, and no other in the file',
      '1,2\n3,5" pipe\n7,8\n',
      ['3,5" pipe'],
      'line 3: Invalid Opening Quote: a quote is found on field 1, value is "5"',
    ],
    [
      'a quote in a field, and another far behind it',
      `1,2\n3,5" pipe\n7,8\n${'7,8\n'.repeat(50)}"7","8"\n`,
      ['3,5" pipe'],
      'line 3: Invalid Opening Quote',
    ],
    [
      'two quotes in a field',
      '1,2\nJohn "Johnny" Doe,3\n7,8\n',
      ['John "Johnny" Doe,3'],
      'line 3: Invalid Opening Quote',
    ],
    [
      'something behind a closing quote',
      '1,2\n"3"x,4\n7,8\n',
      ['"3"x,4'],
      'line 3: Invalid Closing Quote: got "x"',
    ],
    [
      'something behind a quote that closes lines later',
      '1,2\n"3\nand,more\nof"it,4\n7,8\n',
      ['"3\nand,more\nof"it,4'],
      'line 3: Invalid Closing Quote: got "i"',
    ],
    [
      'a quote that is never closed, in the last line',
      '7,8\n3,"4\n\n',
      ['3,"4'],
      'line 3: Quote Not Closed',
    ],
  ])('%s: it is rejected with its text, and the others go on', async (_name, text, row, why) => {
    await file(`a,b\n${text}`);
    for (const batchSize of [1, 2, 3, 200]) {
      const all = await batches({}, { batchSize });
      const items = inOrder(all);
      expect(items.filter((item) => typeof item === 'string')).toEqual(row);
      expect(reasons(all)).toEqual([expect.stringContaining(why)]);
      expect(items).toContainEqual(GOOD);
      expect(items).toHaveLength(all.reduce((sum, one) => sum + sizeOf(one), 0));
      expect(Math.max(...all.map(sizeOf))).toBeLessThanOrEqual(batchSize);
    }
  });

  it('is no reason to end the run: a header that is broken is', async () => {
    await file('a,b"b\n1,2\n');
    expect(await errorOf(csvSource, PATH, { dir: folder.path })).toMatchObject({
      type: 'InvalidRow',
      message: expect.stringContaining('line 1: Invalid Opening Quote'),
    });
  });

  it('whose quote is never closed and has lines behind it is an error, when what comes before is read', async () => {
    await file('a,b\n1,2\n3,"4\n5,6\n7\n');
    const given: unknown[] = [];
    const read = async () => {
      for await (const batch of reading(csvSource, PATH, { dir: folder.path }))
        given.push(...inOrder([batch]));
    };
    await expect(read()).rejects.toMatchObject({
      type: 'InvalidRow',
      message: expect.stringContaining(
        `${join(folder.path, 'rows.csv')}, line 3: Quote Not Closed`,
      ),
    });
    expect(given).toEqual([{ a: '1', b: '2' }]);
  });

  it('makes no too long row of those behind it', async () => {
    const lines = '7,8\n'.repeat(1_000);
    await file(`a,b\n3,5" pipe\n${lines}4,6" pipe\n${lines}`);
    for (const batchSize of [7, 200]) {
      const items = inOrder(await batches({ maxRowBytes: 500 }, { batchSize }));
      expect(items.filter((item) => typeof item === 'string')).toEqual(['3,5" pipe', '4,6" pipe']);
      expect(items).toHaveLength(2_002);
    }
  });

  it('has its text in the encoding of the file, and its line after going on', async () => {
    await file(Buffer.from('a;b\n"1\n1";2\ncafé;3;4\ncafé;5\n', 'latin1'));
    const options = { encoding: 'latin1', delimiter: ';' };
    const [first] = await batches(options, { batchSize: 1 });
    const all = await batches(options, { cursor: first!.cursor });
    expect(inOrder(all)).toEqual(['café;3;4', { a: 'café', b: '5' }]);
    expect(reasons(all)).toEqual([expect.stringMatching(/^line 4: /)]);
  });

  it('is an empty line, where those are rows', async () => {
    await file('a,b\n1,2\n\n7,8\n\n');
    const all = await batches({ skipEmptyLines: false });
    expect(inOrder(all)).toEqual([{ a: '1', b: '2' }, '', GOOD, '']);
    expect(reasons(all).map((reason) => reason.slice(0, 7))).toEqual(['line 3:', 'line 5:']);
  });
});

function sizeOf({ rows, rejected = [] }: SourceBatch): number {
  return rows.length + rejected.length;
}

/** The same numbers each time (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Records, and what is read of each: a row, or its text. */
function records(
  seed: number,
  newline: string,
  padding = '',
): readonly (readonly [string, unknown])[] {
  const random = numbers(seed);
  return Array.from({ length: 300 }, (_, at) => {
    const n = `${String(at)}${padding}`;
    const lines = `${n}${newline}`.repeat(Math.floor(random() * 4));
    const kinds: readonly (readonly [string, unknown])[] = [
      [`${n},b`, { a: n, b: 'b' }],
      [`${n},"${lines}, ""é"" "`, { a: n, b: `${lines}, "é" ` }],
      [`${n},`, { a: n, b: '' }],
      ...[n, `${n},1,"2${newline}2"`, `${n},5" pipe`, `${n} "x" y,1`, `"${n}"x,1`].map(
        (text) => [text, text] as const,
      ),
      [`"${lines}"x,"1`, `"${lines}"x,"1`],
    ];
    // Most are not broken.
    return kinds[Math.floor(random() * (random() < 0.7 ? 3 : kinds.length))]!;
  });
}

describe.each([
  ['line feeds', '\n'],
  ['CRLF', '\r\n'],
])('a CSV file with broken rows in any mixture, and %s', (_name, newline) => {
  it.each([1, 2, 3, 4, 5])('gives all that is there, in its order (%i)', async (seed) => {
    const made = records(seed, newline);
    await file(`a,b${newline}${made.map(([text]) => text + newline).join('')}`);
    for (const batchSize of [1, 3, 50, 1_000]) {
      const all = await batches({}, { batchSize });
      expect(inOrder(all)).toEqual(made.map(([, item]) => item));
      expect(Math.max(...all.map(sizeOf))).toBeLessThanOrEqual(batchSize);
    }
  });

  it('gives all that is there of a file that is larger than what is read at once', async () => {
    const made = records(7, newline, 'é'.repeat(700));
    await file(`a,b${newline}${made.map(([text]) => text + newline).join('')}`);
    for (const batchSize of [1, 70])
      expect(inOrder(await batches({}, { batchSize }))).toEqual(made.map(([, item]) => item));
  });

  const made = records(6, newline).slice(0, 60);
  const checks = sourceChecks({
    source: csvSource,
    setUp: async () => {
      await file(`a,b${newline}${made.map(([text]) => text + newline).join('')}`);
      const rows = made.flatMap(([, item]) => (typeof item === 'string' ? [] : [item as object]));
      return { options: PATH, rows: rows as never, dir: folder.path };
    },
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());
});
