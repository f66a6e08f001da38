import { afterEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { sqlSink as definition } from '../../../adapters/connector/sql/sql-sink.js';
import { FenceLost } from '../../../src/data-flow/position.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { BEGINNING, batch, opened } from './writing.js';

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

async function sink(options: object = {}, how: { runSeq?: number } = {}) {
  const one = await opened(sqlSink, { ...OPTIONS, ...options }, { dir: folder.path, ...how });
  open.push(one);
  return one;
}

function content(table = 'people'): unknown[] {
  return database().prepare(`SELECT * FROM "${table}"`).all();
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
      type: 'InvalidRow',
      message: expect.stringContaining('no value in the key column "b"'),
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

  it('that are missing are NULL; without `columns` all properties of a batch are written', async () => {
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
      { name: 'i', type: 'INTEGER', pk: 0 },
      { name: 'r', type: 'REAL', pk: 0 },
      { name: 'b', type: 'BOOLEAN', pk: 0 },
      { name: 't', type: 'TEXT', pk: 0 },
      { name: 'd', type: 'TEXT', pk: 0 },
      { name: 'j', type: 'TEXT', pk: 0 },
      { name: 'm', type: 'TEXT', pk: 0 },
    ]);
  });

  it.each([
    ['is missing', '', { type: 'TableNotFound' }],
    ['has no such column', 'CREATE TABLE people (id INTEGER PRIMARY KEY)', { type: 'SqlError' }],
    [
      'has no unique index of the key',
      'CREATE TABLE people (id, name, score)',
      { type: 'SqlError' },
    ],
    [
      'does not allow the values',
      'CREATE TABLE people (id PRIMARY KEY, name CHECK (name = 1), score)',
      { type: 'SqlError', details: { code: 'SQLITE_CONSTRAINT_CHECK' } },
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

describe('the position', () => {
  const KEPT = { create: true, keepPosition: true };

  it('moves with the rows or not at all', async () => {
    const one = await sink(KEPT);
    await expect(one.write(batch([row(1)]))).rejects.toThrow(FenceLost);
    await one.takeOver?.(BEGINNING);
    await one.write(batch([row(1)]));
    await expect(one.write(batch([row(2)], 0))).rejects.toThrow(FenceLost);
    await expect(one.write(batch([{ id: 2, none: 1 }], 1))).rejects.toMatchObject({
      type: 'SqlError',
    });
    expect(content()).toEqual([row(1)]);
    expect(content('millrace_positions')).toMatchObject([
      { flow: 'test', sink: 'people', run_seq: 1, step: 1 },
    ]);
  });

  it('of the sink counts unless a later run has moved the flow', async () => {
    const one = await sink(KEPT);
    await one.takeOver?.(BEGINNING);
    await one.write(batch([row(1)]));
    const behind = { ...BEGINNING, runSeq: 1, counts: { ...BEGINNING.counts, read: 7 } };
    const second = await sink(KEPT, { runSeq: 2 });
    expect(await second.takeOver?.(behind)).toEqual({
      ...BEGINNING,
      runSeq: 2,
      step: 1,
      cursor: 1,
      counts: behind.counts,
    });
    const third = await sink(KEPT, { runSeq: 4 });
    const reset = { ...BEGINNING, runSeq: 3 };
    expect(await third.takeOver?.(reset)).toEqual({ ...reset, runSeq: 4, step: 1 });
    await expect(second.takeOver?.(behind)).rejects.toThrow(FenceLost);
  });
});
