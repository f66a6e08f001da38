import { afterEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { sqlSink as definition } from '../../../adapters/connector/sql/sql-sink.js';
import { RowsRefused } from '../../../src/data-flow/refusal.js';
import type { Row } from '../../../src/data-flow/row.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { BEGINNING, batch, opened, refusal } from './writing.js';

const sqlSink: SinkConnector = definition;
const folder = useTemporaryDirectory();
const open: (OpenSink | Database.Database)[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close?.();
});

function execute(sql: string): void {
  const db = new Database(join(folder.path, 'out.db'));
  db.exec(sql);
  db.close();
}

function content(table = 'people'): readonly unknown[] {
  const db = new Database(join(folder.path, 'out.db'));
  const rows = db.prepare(`SELECT * FROM "${table}"`).all();
  db.close();
  return rows;
}

const OPTIONS = { database: 'sqlite:out.db', table: 'people', key: ['id'], keepPosition: false };

async function sink(options: object = {}): Promise<OpenSink> {
  const one = await opened(sqlSink, { ...OPTIONS, ...options }, { dir: folder.path });
  open.push(one);
  return one;
}

const row = (number: number) => ({ id: number, name: `naïve ${number}`, score: number / 2 });

describe.each([
  ['with a key and the position', { key: ['id'], keepPosition: true }, ''],
  ['with a key', { key: ['id'] }, ''],
  ['with a key of a table WITHOUT ROWID', { key: ['id'] }, ' WITHOUT ROWID'],
  ['without a key, with the position', { key: [], keepPosition: true }, ''],
])('the sql sink on SQLite %s', (_name, options, suffix) => {
  const checks = sinkChecks({
    sink: sqlSink,
    setUp: () => {
      execute(
        `CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (length(name) < 20), score REAL)${suffix}`,
      );
      return {
        options: { ...OPTIONS, ...options },
        dir: folder.path,
        content: () => content(),
      };
    },
    row,
    refused: (number) => ({ ...row(900 + number), name: number % 2 ? null : 'x'.repeat(30) }),
    once: true,
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());
});

/** A row that refers to itself. */
function circular(): Row {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return { id: 2, name: self };
}

describe('a row that SQLite refuses', () => {
  const PEOPLE = 'CREATE TABLE people (id INTEGER PRIMARY KEY, name';

  it.each([
    ['NULL', `${PEOPLE} NOT NULL)`, { id: 2, name: null }, 'NOT NULL constraint failed'],
    ['a check', `${PEOPLE} CHECK (name <> 'no'))`, { id: 2, name: 'no' }, 'CHECK constraint'],
    ['another key', `${PEOPLE} UNIQUE)`, { id: 2, name: 'first' }, 'UNIQUE constraint failed'],
    ['a type', `${PEOPLE} INTEGER) STRICT`, { id: 2, name: 'x' }, 'cannot store TEXT value'],
    ['the type of a key', `${PEOPLE})`, { id: 'x', name: 'x' }, 'datatype mismatch'],
    [
      'a foreign key',
      `CREATE TABLE names (name PRIMARY KEY); INSERT INTO names VALUES ('first'), ('last'); ${PEOPLE} REFERENCES names (name))`,
      { id: 2, name: 'nobody' },
      'FOREIGN KEY constraint failed',
    ],
    [
      'a trigger',
      `${PEOPLE}); CREATE TRIGGER t BEFORE INSERT ON people WHEN NEW.name = 'no' BEGIN SELECT RAISE(ABORT, 'not this one'); END`,
      { id: 2, name: 'no' },
      'not this one',
    ],
    ['what JSON cannot carry', `${PEOPLE})`, circular(), 'circular structure'],
    ['a value without JSON', `${PEOPLE})`, { id: 2, name: { toJSON: () => undefined } }, 'no JSON'],
    ['a missing key', `${PEOPLE})`, { name: 'x' }, 'no value in the key column "id"'],
    [
      'a key that is no time',
      `${PEOPLE})`,
      { id: new Date(NaN), name: 'x' },
      'no value in the key',
    ],
  ])(
    'because of %s: it is told, and nothing of the batch is written',
    async (_name, sql, bad, why) => {
      execute(sql);
      const one = await sink();
      const name = (text: string): unknown => (sql.includes('STRICT') ? text.length : text);
      const [first, last] = [
        { id: 1, name: name('first') },
        { id: 3, name: name('last') },
      ];
      expect(await refusal(one.write(batch([first, bad, last])))).toEqual([
        { at: 1, reason: expect.stringContaining(why) },
      ]);
      expect(content()).toEqual([]);
      expect((await one.write(batch([first, last]))).written).toMatchObject({ new: 2 });
      expect(content()).toEqual([first, last]);
    },
  );

  it('because it has nothing is told, too', async () => {
    execute(`${PEOPLE})`);
    const one = await sink({ key: [] });
    const rows = [{ id: 1 }, {}, { name: 'x' }, { id: undefined }];
    expect((await refusal(one.write(batch(rows)))).map(({ at }) => at)).toEqual([1, 3]);
  });

  it('is not blamed for a later one of its key, nor a later one for it', async () => {
    execute(`${PEOPLE} CHECK (name <> 'no'), age)`);
    const one = await sink();
    const rows = [
      { id: 1, name: 'no' },
      { id: 1, name: 'yes' },
      { id: 2, name: 'yes', age: 1 },
      { id: 2, name: 'no' },
    ];
    expect(await refusal(one.write(batch(rows)))).toMatchObject([{ at: 0 }, { at: 3 }]);
    await one.write(batch(rows.slice(0, 3)));
    expect(content()).toEqual([
      { id: 1, name: 'yes', age: null },
      { id: 2, name: 'yes', age: 1 },
    ]);
  });

  it('leaves the position where it is', async () => {
    execute(`${PEOPLE} NOT NULL)`);
    const one = await sink({ keepPosition: true });
    await one.takeOver?.(BEGINNING);
    const rows = [{ id: 1, name: 'x' }, { id: 2 }];
    await expect(one.write(batch(rows))).rejects.toThrow(RowsRefused);
    expect(content('millrace_positions')).toMatchObject([{ step: 0 }]);
    await one.write(batch(rows.slice(0, 1)));
    expect(content('millrace_positions')).toMatchObject([{ step: 1 }]);
  });

  it('is looked for no longer than it is of use', async () => {
    execute(`${PEOPLE} NOT NULL)`);
    const one = await sink();
    const rows = Array.from({ length: 50 }, (_, id) => ({ id, name: null }));
    const refused = await refusal(one.write({ ...batch(rows), refusalsLeft: 2 }));
    expect(refused.map(({ at }) => at)).toEqual([0, 1, 2]);
    expect(await refusal(one.write(batch(rows)))).toHaveLength(50);
  });

  it('does not keep the table from being made for the others', async () => {
    const one = await sink({ create: true });
    const rows = [{ id: 1, name: 'x' }, { name: 'y' }];
    await expect(one.write(batch(rows))).rejects.toThrow(RowsRefused);
    await one.write(batch(rows.slice(0, 1)));
    expect(content()).toEqual([{ id: 1, name: 'x' }]);
  });
});

describe('what is no fault of a row', () => {
  it.each([
    ['a missing table', 'SELECT 1', { type: 'TableNotFound' }],
    ['a missing column', 'CREATE TABLE people (id INTEGER PRIMARY KEY)', { type: 'SqlError' }],
    [
      'a key without an index',
      'CREATE TABLE people (id, name, score CHECK (score < 0))',
      { type: 'SqlError' },
    ],
    [
      'a trigger that undoes all',
      `CREATE TABLE people (id INTEGER PRIMARY KEY, name, score);
       CREATE TRIGGER t BEFORE INSERT ON people WHEN NEW.id = 2 BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END`,
      { type: 'SqlError', message: expect.stringContaining('all of it') },
    ],
    [
      'a foreign key that is looked at when all is written',
      `CREATE TABLE names (name PRIMARY KEY);
       CREATE TABLE people (id INTEGER PRIMARY KEY, name REFERENCES names DEFERRABLE INITIALLY DEFERRED, score)`,
      { type: 'SqlError' },
    ],
  ])('%s is an error of the batch', async (_name, sql, error) => {
    execute(sql);
    const one = await sink();
    await expect(one.write(batch([row(1), row(2), row(3)]))).rejects.toMatchObject(error);
  });
});
