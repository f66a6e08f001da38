import { describe, expect, it } from '@jest/globals';
import { appendFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csvSource } from '../../../adapters/connector/file/csv-source.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batchesOf, errorOf, lastCursor, rowsOf } from './reading.js';

const folder = useTemporaryDirectory();
const PATH = { path: 'rows.csv' };

async function file(content: string | Buffer): Promise<void> {
  await writeFile(join(folder.path, PATH.path), content);
}

async function append(content: string): Promise<void> {
  await appendFile(join(folder.path, PATH.path), content);
}

function read(options: object = {}, cursor?: unknown) {
  return rowsOf(csvSource, { ...PATH, ...options }, { dir: folder.path, cursor: cursor as never });
}

function cursorAfter(options: object = {}) {
  return lastCursor(csvSource, { ...PATH, ...options }, { dir: folder.path });
}

function failure(options: object = {}) {
  return errorOf(csvSource, { ...PATH, ...options }, { dir: folder.path });
}

const ROWS = Array.from({ length: 230 }, (_, index) => ({
  id: String(index),
  name: ['plain', 'naïve – 東京 🚂', 'with "quotes"', 'two\nlines', 'comma, inside', ''][
    index % 6
  ]!,
}));

function csv(newline: string): string {
  const quoted = (text: string) =>
    /[",\n]/.test(text) ? `"${text.replaceAll('"', '""').replaceAll('\n', newline)}"` : text;
  return ['id,name', ...ROWS.map(({ id, name }) => `${id},${quoted(name)}`), ''].join(newline);
}

describe.each([
  ['line feeds', '', '\n'],
  ['CRLF', '', '\r\n'],
  ['a byte order mark and CRLF', '\uFEFF', '\r\n'],
])('a CSV file with %s', (_name, mark, newline) => {
  const rows = ROWS.map((row) => ({ ...row, name: row.name.replaceAll('\n', newline) }));
  const checks = sourceChecks({
    source: csvSource,
    setUp: async () => {
      await file(mark + csv(newline));
      return { options: PATH, rows: rows.slice(), dir: folder.path };
    },
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());

  it('goes on at the boundary of every row, whatever the size of the next batch', async () => {
    await file(
      mark + csv(newline).slice(0, csv(newline).indexOf(`${newline}48,`) + newline.length),
    );
    const all = await read();
    let given = 0;
    for (const { cursor, rows: some } of await batchesOf(csvSource, PATH, {
      dir: folder.path,
      batchSize: 1,
    })) {
      given += some.length;
      expect(await read({}, cursor)).toEqual(all.slice(given));
    }
    expect(given).toBe(all.length);
  });
});

describe('the file as a whole', () => {
  it('has no rows when it is empty, has a header only, or blank lines only', async () => {
    for (const content of ['', 'a,b', 'a,b\n', '\n\n', '\uFEFF', '\n\na,b\n\n']) {
      await file(content);
      expect(await read()).toEqual([]);
    }
  });

  it('may end without a line break, and have blank lines anywhere', async () => {
    await file('\na,b\n\n1,2\n\n\n3,4');
    expect(await read()).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]);
  });

  it('is larger than what is read at once', async () => {
    const long = 'x'.repeat(70_000);
    await file(`a,b\n${Array.from({ length: 40 }, (_, i) => `${i},"${long}\n${i}"\n`).join('')}`);
    const batches = await batchesOf(csvSource, PATH, { dir: folder.path, batchSize: 7 });
    const rows = batches.flatMap((batch) => batch.rows);
    expect(rows.map(({ a }) => a)).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
    expect(rows.every(({ b }, i) => b === `${long}\n${i}`)).toBe(true);
    expect(batches.at(-1)?.fraction).toBe(1);
    expect(batches[0]?.fraction).toBeCloseTo(7 / 40, 1);
  });

  it('is cut right wherever what is read at once ends', async () => {
    const chunk = 256 * 1024;
    const tail = '"a""b\r\n""",2\r\n\r\n"",\r\n3,4\r\n';
    for (let shift = 0; shift <= tail.length; shift += 1) {
      const start = 'a,b\r\n,';
      const pad = 'x'.repeat(chunk - start.length - 2 - shift);
      await file(`${start}${pad}\r\n${tail}`);
      for (const batchSize of [1, 200]) {
        const rows = await rowsOf(csvSource, PATH, { dir: folder.path, batchSize });
        expect(rows.slice(1)).toEqual([
          { a: 'a"b\r\n"', b: '2' },
          { a: '', b: '' },
          { a: '3', b: '4' },
        ]);
      }
    }
  });

  it('is not there: a permanent error with its absolute path', async () => {
    expect(await failure()).toMatchObject({
      type: 'FileNotFound',
      message: expect.stringContaining(
        `${join(folder.path, 'rows.csv')} does not exist. The file has to be on the machine`,
      ),
    });
  });

  it('is in UTF-16 or is no UTF-8: a permanent error, not wrong characters', async () => {
    await file(Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'));
    expect(await failure()).toMatchObject({ type: 'UnsupportedEncoding' });
    await file(Buffer.from('a,b\n1,2\ncafé,3\n', 'latin1'));
    expect(await failure()).toMatchObject({
      type: 'InvalidRow',
      message: expect.stringContaining('rows.csv, line 3: The text is not UTF-8.'),
    });
    expect(await read({ encoding: 'latin1' })).toContainEqual({ a: 'café', b: '3' });
  });
});

describe('options', () => {
  it('names columns of a file without a header, and takes other delimiters and quotes', async () => {
    await file("1; 'a;b' ;x\n");
    expect(
      await read({ header: ['n', 'text', 'last'], delimiter: ';', quote: "'", trim: true }),
    ).toEqual([{ n: '1', text: 'a;b', last: 'x' }]);
  });

  it('takes quotes as characters', async () => {
    await file('a,b\n5" pipe,"x\n');
    expect(await read({ quote: false })).toEqual([{ a: '5" pipe', b: '"x' }]);
  });

  it('keeps empty lines as rows', async () => {
    await file('a\n1\n\n2\n');
    expect(await read({ skipEmptyLines: false })).toEqual([{ a: '1' }, { a: '' }, { a: '2' }]);
  });

  it('refuses names that are there twice', async () => {
    await file('a,a\n1,2\n');
    expect(await failure()).toMatchObject({ type: 'InvalidHeader' });
    expect(await failure({ header: ['__proto__', 'b'] })).toMatchObject({ type: 'InvalidHeader' });
  });
});

describe('broken rows', () => {
  it('longer than maxRowBytes: a permanent error that names the limit', async () => {
    await file(`a,b\n1,2\n3,"${'x\n'.repeat(400_000)}`);
    expect(await failure({ maxRowBytes: 1_000 })).toMatchObject({
      type: 'InvalidRow',
      message: expect.stringContaining('line 3: The row is longer than maxRowBytes (1000 bytes)'),
    });
    await file(`a,b\n1,2\n3,${'x'.repeat(2_000)}\n`);
    expect(await failure({ maxRowBytes: 1_000 })).toMatchObject({ type: 'InvalidRow' });
    await file(`a,b\n1,2\n3,"${'x\n'.repeat(600)}"\n5,6\n`);
    expect(await failure({ maxRowBytes: 1_000 })).toMatchObject({ type: 'InvalidRow' });
  });

  it('are taken with `relax`, when it is only the number of fields', async () => {
    await file('a,b\n1\n1,2,3\n');
    expect(await read({ relax: true })).toEqual([{ a: '1' }, { a: '1', b: '2' }]);
  });
});

describe('a file that changes', () => {
  it('is gone on with where it was appended to', async () => {
    await file('a,b\n1,2\n');
    const cursor = await cursorAfter();
    expect(await read({}, cursor)).toEqual([]);
    await append('3,4\n');
    expect(await read({}, cursor)).toEqual([{ a: '3', b: '4' }]);
  });

  it('is gone on with after a last row without a line break that gets one', async () => {
    await file('a,b\n1,2');
    const cursor = await cursorAfter();
    await append('\r\n3,4\n');
    expect(await read({}, cursor)).toEqual([{ a: '3', b: '4' }]);
  });

  it('is read again when its last row has become longer', async () => {
    await file('a,b\n1,2');
    const cursor = await cursorAfter();
    await append('2\n');
    expect(await read({}, cursor)).toEqual([{ a: '1', b: '22' }]);
  });

  it('keeps an unfinished line for the next run when it is appended to', async () => {
    await file('a,b\n1,2\n3,"4\n');
    const options = { appended: true };
    expect(await read(options)).toEqual([{ a: '1', b: '2' }]);
    const cursor = await cursorAfter(options);
    await append('4"\n5,6\n7');
    expect(await read(options, cursor)).toEqual([
      { a: '3', b: '4\n4' },
      { a: '5', b: '6' },
    ]);
  });

  it('is read from its beginning when it has been replaced, shortened or edited', async () => {
    await file('a,b\n1,2\n3,4\n');
    const cursor = await cursorAfter();
    for (const content of [
      'a,b\n9,9\n',
      'a,b\n1,2\n3,5\n',
      'a,b\n1,9\n3,4\n5,6\n',
      'c,b\n1,2\n3,4\n',
    ]) {
      await file(content);
      const lines = content.trim().split('\n').length - 1;
      expect(await read({}, cursor)).toHaveLength(lines);
    }
  });

  it('is known by what is in it: another path is another file, and one that comes back is read again', async () => {
    const at = (path: string, cursor?: unknown) => read({ path }, cursor);
    await file('a,b\n1,2\n');
    const first = await cursorAfter();
    await writeFile(join(folder.path, 'copy.csv'), 'a,b\n1,2\n3,4\n');
    await writeFile(join(folder.path, 'other.csv'), 'a,b\n5,6\n7,8\n9,0\n');
    expect(await at('copy.csv', first)).toEqual([{ a: '3', b: '4' }]);
    expect(await at('other.csv', first)).toHaveLength(3);
    const other = await cursorAfter({ path: 'other.csv' });
    expect(await at(PATH.path, other)).toEqual([{ a: '1', b: '2' }]);
  });

  it('is read from its beginning when it may have been edited in the middle', async () => {
    const middle = 'x'.repeat(20_000);
    await file(`a,b\n1,${middle}\n2,${middle}\n`);
    const cursor = await cursorAfter();
    await file(`a,b\n1,${middle}\n2,y${middle.slice(1)}\n`);
    await utimes(join(folder.path, PATH.path), 1, 1);
    expect(await read({}, cursor)).toHaveLength(2);
  });

  it('refuses a cursor of another source', async () => {
    await file('a,b\n1,2\n');
    await expect(read({}, { page: 3 })).rejects.toMatchObject({ type: 'InvalidCursor' });
  });
});
