import { afterEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sqlSink as definition } from '../../../adapters/connector/sql/sql-sink.js';
import type { Written } from '../../../src/data-flow/row.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import type { JsonObject } from '../../../src/definition/json.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batch, opened } from './writing.js';

const sqlSink: SinkConnector = definition;
const folder = useTemporaryDirectory();
const open: (OpenSink | Database.Database)[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close?.();
});

function database(): Database.Database {
  const db = new Database(join(folder.path, 'out.db'));
  open.push(db);
  return db;
}

const OPTIONS = { database: 'sqlite:out.db', table: 'people', key: ['id'], keepPosition: false };

async function sink(options: object = {}) {
  const one = await opened(sqlSink, { ...OPTIONS, ...options }, { dir: folder.path });
  open.push(one);
  return one;
}

function content(table = 'people'): unknown[] {
  return database().prepare(`SELECT * FROM "${table}"`).all();
}

function otherTable(options: JsonObject) {
  database().exec(
    "CREATE TABLE other (id INTEGER PRIMARY KEY, name TEXT, score REAL); INSERT INTO other VALUES (999, 'x', 1)",
  );
  return { options: { ...options, table: 'other' }, content: () => content('other') };
}

const row = (number: number) => ({ id: number, name: `naïve ${number}`, score: number / 2 });

describe.each([
  ['with a key and the position', { key: ['id'] }, true],
  ['with a key', { key: ['id'], keepPosition: false }, true],
  ['without a key, with the position', { key: [] }, true],
  ['without a key', { key: [], keepPosition: false }, false],
])('the sql sink on SQLite %s', (_name, options, once) => {
  const checks = sinkChecks({
    sink: sqlSink,
    setUp: () => ({
      options: { ...OPTIONS, keepPosition: true, create: true, ...options },
      dir: folder.path,
      content: () => content(),
      other: otherTable({ ...OPTIONS, keepPosition: true, create: true, ...options }),
    }),
    row,
    ...(options.key.length > 0 && {
      changed: (number: number) => ({ ...row(number), name: 'changed' }),
    }),
    once,
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());
});

describe.each([
  ['a table with row ids', ''],
  ['a table WITHOUT ROWID', ' WITHOUT ROWID'],
])('keys of %s', (_name, suffix) => {
  const PAIR = { key: ['a', 'b'], table: 'main.pairs' };
  const create = () =>
    database().exec(`CREATE TABLE pairs (a TEXT, b INTEGER, c, PRIMARY KEY (a, b))${suffix}`);

  it('tells what it did with rows in any mixture', async () => {
    create();
    const one = await sink(PAIR);
    const rows = (values: readonly (readonly [string, number, unknown])[]) =>
      values.map(([a, b, c]) => ({ a, b, c }));
    await one.write(
      batch(
        rows([
          ['x', 1, 1],
          ['x', 2, null],
          ['y', 1, 'z'],
        ]),
      ),
    );
    const { written } = await one.write(
      batch(
        rows([
          ['n', 1, 0],
          ['x', 1, 2],
          ['m', 1, 0],
          ['x', 2, null],
          ['x', 3, 0],
          ['y', 1, null],
        ]),
      ),
    );
    expect(written).toEqual({ new: 3, updated: 2, redundant: 1, unpredictable: 0 });
  });

  it('lets the last of two rows with the same key win', async () => {
    create();
    const one = await sink(PAIR);
    const same = { a: 'x', b: 1, c: 'last' };
    const { written } = await one.write(
      batch([{ ...same, c: 'first' }, { c: 'last', b: 1, a: 'x' }, same]),
    );
    expect(written).toEqual({ new: 1, updated: 1, redundant: 1, unpredictable: 0 });
    expect(content('pairs')).toEqual([same]);
  });

  it('takes tables of keys only', async () => {
    create();
    const one = await sink(PAIR);
    await one.write(batch([{ a: 'x', b: 1 }]));
    const { written } = await one.write(
      batch([
        { a: 'x', b: 1 },
        { a: 'y', b: 1 },
      ]),
    );
    expect(written).toEqual({ new: 1, updated: 0, redundant: 1, unpredictable: 0 });
  });

  it('takes nothing of a batch that has a row without a key', async () => {
    create();
    const one = await sink(PAIR);
    await expect(one.write(batch([{ a: 'x', b: 1 }, { a: 'x' }]))).rejects.toMatchObject({
      refused: [{ at: 1, reason: 'The row has no value in the key column "b".' }],
    });
    expect(content('pairs')).toEqual([]);
  });
});

describe('values', () => {
  it('are kept as SQLite can keep them', async () => {
    database().exec(
      'CREATE TABLE people (id INTEGER PRIMARY KEY, t TEXT, n, b BOOLEAN, r REAL, x TEXT, y BLOB)',
    );
    const one = await sink();
    const values = [
      { id: 2n ** 60n, t: 5, n: 5, b: true, r: 1, x: new Date(0), y: Buffer.from('ab') },
      { id: 2, t: 1.5, n: 1.5, b: false, r: 2.5, x: { a: [1n] }, y: new Uint8Array([1]) },
      { id: 3, t: undefined, n: null, b: '1', r: '7', x: ['a'], y: null },
    ];
    await one.write(batch(values));
    const { written } = await one.write(batch(values));
    expect(written.redundant).toBe(3);
    const types = ['t', 'n', 'b', 'r', 'x', 'y'].map(
      (name) => `typeof(${name}) AS t${name}, ${name}`,
    );
    expect(
      database()
        .prepare(`SELECT id || '' AS id, ${types.join(', ')} FROM people ORDER BY people.id`)
        .all(),
    ).toEqual([
      {
        id: '2',
        tt: 'text',
        t: '1.5',
        tn: 'real',
        n: 1.5,
        tb: 'integer',
        b: 0,
        tr: 'real',
        r: 2.5,
        tx: 'text',
        x: '{"a":["1"]}',
        ty: 'blob',
        y: Buffer.from([1]),
      },
      {
        id: '3',
        tt: 'null',
        t: null,
        tn: 'null',
        n: null,
        tb: 'integer',
        b: 1,
        tr: 'real',
        r: 7,
        tx: 'text',
        x: '["a"]',
        ty: 'null',
        y: null,
      },
      {
        id: '1152921504606846976',
        tt: 'text',
        t: '5',
        tn: 'integer',
        n: 5,
        tb: 'integer',
        b: 1,
        tr: 'real',
        r: 1,
        tx: 'text',
        x: '1970-01-01T00:00:00.000Z',
        ty: 'blob',
        y: Buffer.from('ab'),
      },
    ]);
  });

  it('tells neighbours among large integer keys apart', async () => {
    database().exec('CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)');
    const one = await sink();
    const { written } = await one.write(
      batch([1n, 2n, 3n].map((more) => ({ id: 2n ** 60n + more, name: 'x' }))),
    );
    expect(written.new).toBe(3);
  });

  it.each([1, 2, 3])(
    'that a row lacks are left alone, whatever else is in its batch: %d rows',
    async (size) => {
      database().exec(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, a, b DEFAULT 'd'); INSERT INTO people VALUES (1, 'x1', 'keep me')",
      );
      const one = await sink();
      const rows = [
        { id: 1, a: 'x2' },
        { b: 'z', id: 2, a: undefined },
        { id: 3, a: null },
        { a: 'y', id: 4, b: null },
        { id: 2, a: 'later' },
        { id: 3, b: 'later', a: undefined },
      ];
      const written: Written[] = [];
      for (let from = 0; from < rows.length; from += size)
        written.push((await one.write(batch(rows.slice(from, from + size)))).written);
      expect(content()).toEqual([
        { id: 1, a: 'x2', b: 'keep me' },
        { id: 2, a: 'later', b: 'z' },
        { id: 3, a: null, b: 'later' },
        { id: 4, a: 'y', b: null },
      ]);
      expect(written.reduce((sum, { new: added }) => sum + added, 0)).toBe(3);
      expect(written.reduce((sum, { updated }) => sum + updated, 0)).toBe(3);
    },
  );

  it('of rows with one key in one batch are all written', async () => {
    const one = await sink({ create: true });
    const { written } = await one.write(
      batch([
        { id: 1, a: 'x', b: 'first' },
        { id: 2, a: 'y' },
        { b: 'last', id: 1 },
      ]),
    );
    expect(written).toEqual({ new: 2, updated: 1, redundant: 0, unpredictable: 0 });
    expect(content()).toEqual([
      { id: 1, a: 'x', b: 'last' },
      { id: 2, a: 'y', b: null },
    ]);
  });

  it('that are missing are NULL in new rows, and everywhere with `columns`', async () => {
    const one = await sink({ create: true });
    await one.write(
      batch([
        { id: 1, a: 'x' },
        { id: 2, b: 'y' },
      ]),
    );
    expect(content()).toEqual([
      { id: 1, a: 'x', b: null },
      { id: 2, a: null, b: 'y' },
    ]);
    const some = await sink({ columns: ['id', 'a'] });
    await some.write(batch([{ id: 1, b: 'left out' }]));
    expect(content()).toContainEqual({ id: 1, a: null, b: null });
  });
});

describe('the table', () => {
  it('is created with types from the first batch', async () => {
    const one = await sink({ create: true, table: 'odd "name"', key: ['the id', 'x.y'] });
    await one.write(
      batch([
        { 'the id': 1, 'x.y': 'k', i: 1, r: 1, b: true, t: 'x', d: new Date(0), j: { a: 1 }, m: 1 },
        { 'the id': 2, 'x.y': 'k', i: null, r: 1.5, b: null, t: null, d: null, j: null, m: 'x' },
      ]),
    );
    const columns = database()
      .prepare('SELECT name, type, pk FROM pragma_table_info(\'odd "name"\')')
      .all();
    expect(columns).toEqual([
      { name: 'the id', type: 'INTEGER', pk: 1 },
      { name: 'x.y', type: 'TEXT', pk: 2 },
      { name: 'i', type: 'REAL', pk: 0 },
      { name: 'r', type: 'REAL', pk: 0 },
      { name: 'b', type: 'BOOLEAN', pk: 0 },
      { name: 't', type: 'TEXT', pk: 0 },
      { name: 'd', type: 'TEXT', pk: 0 },
      { name: 'j', type: 'TEXT', pk: 0 },
      { name: 'm', type: 'TEXT', pk: 0 },
    ]);
  });

  it('takes numbers that are not whole later, and properties that come later', async () => {
    const one = await sink({ create: true });
    await one.write(batch([{ id: 1, amount: 10, big: 2n ** 60n }]));
    await one.write(batch([{ id: 2, amount: 20 }]));
    await one.write(batch([{ id: 3, amount: 10.5, note: 'new' }, row(4)]));
    expect(content()).toEqual([
      { id: 1, amount: 10, big: 2 ** 60, note: null, name: null, score: null },
      { id: 2, amount: 20, big: null, note: null, name: null, score: null },
      { id: 3, amount: 10.5, big: null, note: 'new', name: null, score: null },
      { amount: null, big: null, note: null, ...row(4) },
    ]);
    const types = database().prepare("SELECT type FROM pragma_table_info('people')").pluck().all();
    expect(types).toEqual(['INTEGER', 'REAL', 'INTEGER', 'TEXT', 'TEXT', 'REAL']);
  });

  it('has no column of a batch that was not written, and takes it the next time', async () => {
    database().exec("CREATE TABLE people (ID INTEGER PRIMARY KEY, name TEXT CHECK (name <> 'no'))");
    const one = await sink({ create: true });
    await expect(one.write(batch([{ id: 1, name: 'no', age: 7 }]))).rejects.toMatchObject({
      name: 'RowsRefused',
    });
    await one.write(batch([{ id: 1, name: 'yes', age: 7 }]));
    expect(content()).toEqual([{ ID: 1, name: 'yes', age: 7 }]);
  });

  it.each([
    ['is missing', '', { type: 'TableNotFound' }],
    ['has no such column', 'CREATE TABLE people (id INTEGER PRIMARY KEY)', { type: 'SqlError' }],
    [
      'has no unique index of the key',
      'CREATE TABLE people (id, name, score)',
      { type: 'SqlError' },
    ],
  ])('%s: a permanent error', async (_name, sql, error) => {
    database().exec(sql);
    const one = await sink();
    await expect(one.write(batch([row(1)]))).rejects.toMatchObject(error);
  });

  it('is waited for while somebody else writes, without blocking the process', async () => {
    const one = await sink({ create: true });
    const other = database();
    other.exec('BEGIN IMMEDIATE');
    const writing = one.write(batch([row(1)]));
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 5);
    await delay(300);
    clearInterval(timer);
    other.exec('COMMIT');
    expect((await writing).written.new).toBe(1);
    expect(ticks).toBeGreaterThan(5);
  });
});
