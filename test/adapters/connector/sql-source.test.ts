import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sqlSource } from '../../../adapters/connector/sql/sql-source.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batchesOf, errorOf, lastCursor, rowsOf } from './reading.js';

const folder = useTemporaryDirectory();
let db: Database.Database;

beforeEach(() => {
  db = new Database(join(folder.path, 'in.db'));
});
afterEach(() => {
  db.close();
});

const OPTIONS = { database: 'sqlite:in.db', table: 'items', cursor: ['id'] };

function read(options: object = {}, how: object = {}) {
  return rowsOf(sqlSource, { ...OPTIONS, ...options }, { dir: folder.path, ...how });
}

function failure(options: object = {}) {
  return errorOf(sqlSource, { ...OPTIONS, ...options }, { dir: folder.path });
}

const ROWS = Array.from({ length: 230 }, (_, id) => ({
  id,
  name: `n${id % 9}`,
  price: id / 4,
  none: null,
}));

const NEW = { id: 1000, name: 'z', price: 0.5, none: null };

function fill(): void {
  db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, none)');
  const insert = db.prepare('INSERT INTO items VALUES (@id, @name, @price, @none)');
  db.transaction(() => {
    for (const row of ROWS) insert.run(row);
  })();
}

describe.each([
  ['a table', { table: 'items' }, ROWS],
  ['a table with its schema', { table: 'main.items' }, ROWS],
  [
    'a query',
    { table: undefined, query: 'SELECT * FROM items WHERE id >= 10 -- all but ten\n;' },
    ROWS.slice(10),
  ],
  [
    'some columns along two',
    { columns: ['id'], cursor: ['name', 'id'] },
    ROWS.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id)).map(
      ({ id }) => ({ id }),
    ),
  ],
])('the sql source on SQLite reading %s', (_name, options, rows) => {
  const checks = sourceChecks({
    source: sqlSource,
    setUp: () => {
      fill();
      const written = JSON.parse(JSON.stringify({ ...OPTIONS, ...options })) as typeof OPTIONS & {
        readonly columns?: string[];
      };
      const change = () => {
        db.exec("INSERT INTO items VALUES (1000, 'z', 0.5, NULL)");
        return [written.columns === undefined ? { ...NEW } : { id: NEW.id }];
      };
      return { options: written, rows, dir: folder.path, change };
    },
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());
});

describe('what comes later', () => {
  it('is read by the next run', async () => {
    fill();
    const cursor = await lastCursor(sqlSource, OPTIONS, { dir: folder.path });
    db.exec("INSERT INTO items (id, name) VALUES (1000, 'new')");
    expect(await read({}, { cursor })).toEqual([
      { id: 1000, name: 'new', price: null, none: null },
    ]);
  });

  it('is not repeated or lost with integers that a number cannot hold', async () => {
    db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY)');
    const ids = [0n, 1n, 2n, 3n].map((more) => 2n ** 60n + more);
    for (const id of ids) db.prepare('INSERT INTO items VALUES (?)').run(id);
    const batches = await batchesOf(sqlSource, OPTIONS, { dir: folder.path, batchSize: 1 });
    expect(batches.flatMap(({ rows }) => rows)).toEqual(ids.map((id) => ({ id: String(id) })));
    const cursor = JSON.parse(JSON.stringify(batches[1]!.cursor)) as never;
    expect(await read({}, { cursor })).toEqual([{ id: String(ids[2]) }, { id: String(ids[3]) }]);
  });

  it('goes on behind floats, texts and bytes', async () => {
    db.exec('CREATE TABLE items (id BLOB NOT NULL)');
    const values = [1.5, 2, 'naïve', 'ü', Buffer.from([0, 255]), Buffer.from([1])];
    for (const value of values) db.prepare('INSERT INTO items VALUES (?)').run(value);
    const batches = await batchesOf(sqlSource, OPTIONS, { dir: folder.path, batchSize: 1 });
    expect(batches.map(({ rows }) => rows[0]?.['id'])).toEqual(values);
  });
});

describe('a cursor of something else', () => {
  it.each([
    ['of another table', { table: 'others' }],
    ['of a query', { table: undefined, query: 'SELECT * FROM others' }],
    ['of other columns', { cursor: ['name', 'id'] }],
  ])('%s is refused: a permanent error that says what to do', async (_name, options) => {
    fill();
    db.exec('CREATE TABLE others AS SELECT * FROM items');
    const cursor = await lastCursor(sqlSource, OPTIONS, { dir: folder.path });
    await expect(read(options, { cursor })).rejects.toMatchObject({
      type: 'InvalidCursor',
      message: expect.stringContaining('millrace flows reset conformance'),
    });
  });

  it('is none of a query whose conditions have changed, which goes on behind it', async () => {
    fill();
    const query = (least: number) => ({
      table: undefined,
      query: `SELECT id, name FROM items WHERE price >= ${least} ;\n`,
    });
    const cursor = await lastCursor(sqlSource, { ...OPTIONS, ...query(5) } as never, {
      dir: folder.path,
    });
    expect(await read(query(0), { cursor })).toEqual([]);
    db.exec("INSERT INTO items VALUES (1000, 'cheap', 1, NULL), (1001, 'dear', 9, NULL)");
    expect(await read(query(7), { cursor })).toEqual([{ id: 1001, name: 'dear' }]);
    expect(await read(query(7), { cursor: { after: [999] } })).toHaveLength(1);
  });
});

describe('a cursor that cannot be used', () => {
  it('has NULLs: a permanent error with table and column, also when they would come last', async () => {
    db.exec(
      "CREATE TABLE items (id INTEGER, name TEXT); INSERT INTO items VALUES (1, 'a'), (NULL, 'b')",
    );
    expect(await failure()).toMatchObject({
      type: 'UnusableCursor',
      message: expect.stringContaining('Table items has rows whose column "id" is NULL'),
    });
    expect(await failure({ cursor: ['name', 'id'] })).toMatchObject({ type: 'UnusableCursor' });
    expect(await read({ cursor: ['name'] })).toHaveLength(2);
  });

  it('has values twice: a permanent error, also where a page ends between them', async () => {
    db.exec('CREATE TABLE items (id INTEGER); INSERT INTO items VALUES (1), (2), (2)');
    expect(await failure()).toMatchObject({ type: 'UnusableCursor' });
    const error = await errorOf(sqlSource, OPTIONS, { dir: folder.path, batchSize: 2 });
    expect(error).toMatchObject({
      type: 'UnusableCursor',
      message: expect.stringContaining('several rows with id = [2]'),
    });
  });

  it('has a lag, which is for PostgreSQL', async () => {
    fill();
    expect(await failure({ lag: '1 minute' })).toMatchObject({ type: 'UnusableCursor' });
    expect(sqlSource.options.safeParse({ ...OPTIONS, lag: 'soon' }).success).toBe(false);
  });
});

describe('what cannot be read', () => {
  it('is a permanent error where another attempt would repeat it', async () => {
    expect(await failure()).toMatchObject({
      type: 'SqlError',
      message: expect.stringContaining('no such table'),
    });
    fill();
    expect(await failure({ cursor: ['nothing'] })).toMatchObject({ type: 'SqlError' });
    expect(await failure({ table: undefined, query: 'SELEC' })).toMatchObject({ type: 'SqlError' });
    expect(await failure({ database: 'sqlite:none.db' })).toMatchObject({
      type: 'FileNotFound',
      message: expect.stringContaining(join(folder.path, 'none.db')),
    });
    await writeFile(join(folder.path, 'no.db'), 'no database'.repeat(100));
    expect(await failure({ database: 'sqlite:no.db' })).toMatchObject({ type: 'SqlError' });
  });

  it('is told by the options', () => {
    for (const options of [
      { ...OPTIONS, query: 'SELECT 1' },
      { database: 'sqlite:in.db', cursor: ['id'] },
      { ...OPTIONS, cursor: [] },
      { ...OPTIONS, database: 'mysql://x' },
    ])
      expect(sqlSource.options.safeParse(options).success).toBe(false);
  });
});
