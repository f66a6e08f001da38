import { afterEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import pg from 'pg';
import { sqlSink as definition } from '../../../adapters/connector/sql/sql-sink.js';
import type { Row } from '../../../src/data-flow/row.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import { describePostgres, usePostgresDatabase } from '../../support/postgres.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';
import { batch, opened } from './writing.js';

const sqlSink: SinkConnector = definition;
const open: OpenSink[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.close?.();
});

/** A table of somebody else: what this sink knows nothing of must not be NULL. */
const TABLE = `
  CREATE TABLE pairs (a TEXT, b INTEGER, c TEXT, d TEXT NOT NULL, PRIMARY KEY (a, b))`;
const ROWS = `INSERT INTO pairs VALUES ('x', 1, 'one', 'theirs'), ('x', 2, 'same', 'theirs')`;

async function changesOnly(
  database: string,
  dir: string,
  content: () => readonly unknown[] | Promise<readonly unknown[]>,
): Promise<void> {
  const options = { database, table: 'pairs', key: ['a', 'b'], insert: false };
  const one = await opened(sqlSink, { ...options, keepPosition: false }, { dir });
  open.push(one);
  const written = async (rows: readonly Row[]) => (await one.write(batch(rows))).written;
  expect(
    await written([
      { a: 'x', b: 1, c: 'two' },
      { a: 'x', b: 2, c: 'same' },
      { a: 'y', b: 1, c: 'nobody' },
    ]),
  ).toEqual({ new: 0, updated: 1, redundant: 2, unpredictable: 0 });
  expect(await written([{ a: 'x', b: 1 }])).toMatchObject({ updated: 0, redundant: 1 });
  expect(await written([{ a: 'x', b: 2, c: null }])).toMatchObject({ updated: 1, redundant: 0 });
  expect(await content()).toEqual([
    { a: 'x', b: 1, c: 'two', d: 'theirs' },
    { a: 'x', b: 2, c: null, d: 'theirs' },
  ]);
}

describe('the sql sink with `insert: false`', () => {
  const folder = useTemporaryDirectory();

  it.each([
    ['with row ids', ''],
    ['WITHOUT ROWID', ' WITHOUT ROWID'],
  ])('changes rows of a SQLite table %s, and adds none', async (_name, suffix) => {
    const db = new Database(join(folder.path, 'out.db'));
    try {
      db.exec(`${TABLE}${suffix}; ${ROWS}`);
      await changesOnly('sqlite:out.db', folder.path, () =>
        db.prepare('SELECT * FROM pairs ORDER BY b').all(),
      );
    } finally {
      db.close();
    }
  });

  it('needs a key, and makes no table', () => {
    const problems = (more: object) =>
      sqlSink.options
        .safeParse({ database: 'sqlite:x.db', table: 'x', insert: false, ...more })
        .error?.issues.map(({ path }) => path.join('.'));
    expect(problems({})).toEqual(['insert']);
    expect(problems({ key: ['id'], create: true })).toEqual(['create']);
    expect(problems({ key: ['id'] })).toBeUndefined();
  });
});

describePostgres('the sql sink with `insert: false` on PostgreSQL', () => {
  const database = usePostgresDatabase();
  const folder = useTemporaryDirectory();

  it('changes rows, and adds none', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query(`${TABLE}; ${ROWS}`);
      await changesOnly(database.url, folder.path, async () => {
        const { rows } = await client.query<object>('SELECT * FROM pairs ORDER BY b');
        return rows;
      });
    } finally {
      await client.end();
    }
  });
});
