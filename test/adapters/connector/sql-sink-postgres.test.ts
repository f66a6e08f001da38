import { afterEach, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { sqlSink as definition } from '../../../adapters/connector/sql/sql-sink.js';
import { FenceLost } from '../../../src/data-flow/position.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { describePostgres, usePostgresDatabase } from '../../support/postgres.js';
import { BEGINNING, batch, opened } from './writing.js';

const sqlSink: SinkConnector = definition;

describePostgres('the sql sink on PostgreSQL', () => {
  const database = usePostgresDatabase();
  const open: OpenSink[] = [];
  let client: pg.Client;

  beforeEach(async () => {
    client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close?.();
    await client.end();
  });

  const options = (more: object = {}) => ({
    database: database.url,
    table: 'people',
    key: ['id'],
    create: true,
    ...more,
  });

  async function sink(more: object = {}, runSeq = 1): Promise<OpenSink> {
    const one = await opened(sqlSink, options(more), { runSeq });
    open.push(one);
    return one;
  }

  async function content(table = 'people'): Promise<readonly unknown[]> {
    return (await client.query<Record<string, unknown>>(`SELECT * FROM ${table}`)).rows;
  }

  const row = (number: number) => ({
    id: `k${number}`,
    name: `naïve "${number}"`,
    score: number + 0.5,
  });

  for (const [name, more, once] of [
    ['with a key and the position', { key: ['id'] }, true],
    ['with a key', { key: ['id'], keepPosition: false }, true],
    ['without a key, with the position', { key: [] }, true],
    ['without a key', { key: [], keepPosition: false }, false],
  ] as const) {
    const checks = sinkChecks({
      sink: sqlSink,
      setUp: async () => {
        const given = options({ ...more, key: [...more.key] });
        await client.query(
          "CREATE TABLE other (id text PRIMARY KEY, name text, score float8); INSERT INTO other VALUES ('x', 'x', 1)",
        );
        const other = { options: { ...given, table: 'other' }, content: () => content('other') };
        return { options: given, content: () => content(), other };
      },
      row,
      ...(more.key.length > 0 && {
        changed: (number: number) => ({ ...row(number), name: 'changed' }),
      }),
      once,
    });
    it.each(checks.map((check) => [check.name, check.run] as const))(`${name}: %s`, (_check, run) =>
      run(),
    );
  }

  it('keeps values of all types, and finds them redundant when they come again', async () => {
    await client.query(
      `CREATE TABLE people (id bigint PRIMARY KEY, at timestamptz, d date, n numeric, f float8, b boolean, t text,
         j json, jb jsonb, y bytea, l int[], p point, nothing text)`,
    );
    const one = await sink({ keepPosition: false });
    const rows = [
      {
        id: 2n ** 60n,
        at: new Date(0),
        d: '2026-01-02',
        n: '1.10',
        f: Number.NaN,
        b: true,
        t: 'a\ud800b',
        j: { a: [1, null] },
        jb: [{ b: 'x' }],
        y: Buffer.from([0, 255]),
        l: [1, 2],
        p: '(1,2)',
        nothing: undefined,
      },
    ];
    expect((await one.write(batch(rows))).written.new).toBe(1);
    expect((await one.write(batch(rows))).written.redundant).toBe(1);
    expect(await content()).toEqual([
      {
        id: '1152921504606846976',
        at: new Date(0),
        d: expect.any(Date),
        n: '1.10',
        f: Number.NaN,
        b: true,
        t: 'a\ufffdb',
        j: { a: [1, null] },
        jb: [{ b: 'x' }],
        y: Buffer.from([0, 255]),
        l: [1, 2],
        p: { x: 1, y: 2 },
        nothing: null,
      },
    ]);
  });

  it('creates the table with types from the first batch', async () => {
    const one = await sink({ keepPosition: false });
    await one.write(
      batch([{ id: 1, r: 1.5, b: false, t: 'x', d: new Date(0), j: [1], y: Buffer.from('a') }]),
    );
    const { rows } = await client.query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
       WHERE attrelid = 'people'::regclass AND attnum > 0 ORDER BY attnum`,
    );
    expect(rows.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id bigint',
      'r double precision',
      'b boolean',
      't text',
      'd timestamp with time zone',
      'j jsonb',
      'y bytea',
    ]);
  });

  it('takes numbers that are not whole later, and properties that come later', async () => {
    const one = await sink({ keepPosition: false });
    await one.write(batch([{ id: 1, amount: 10 }]));
    await one.write(batch([{ id: 2, amount: 20 }]));
    await one.write(batch([{ id: 3, amount: 10.5, note: 'new', at: new Date(0) }, { id: 4 }]));
    expect(await content()).toEqual([
      { id: '1', amount: 10, note: null, at: null },
      { id: '2', amount: 20, note: null, at: null },
      { id: '3', amount: 10.5, note: 'new', at: new Date(0) },
      { id: '4', amount: null, note: null, at: null },
    ]);
  });

  it('adds a column once when two sinks meet a new property at the same time', async () => {
    await client.query('CREATE TABLE people (id text PRIMARY KEY, name text)');
    const sinks = await Promise.all([1, 2, 3, 4].map(() => sink({ keepPosition: false })));
    await Promise.all(sinks.map((one, number) => one.write(batch([row(number)]))));
    expect(await content()).toHaveLength(4);
  });

  it.each([1, 2, 3])(
    'leaves alone what a row lacks, whatever else is in its batch: %d rows',
    async (size) => {
      await client.query(
        "CREATE TABLE people (id int PRIMARY KEY, a text, b text DEFAULT 'd'); INSERT INTO people VALUES (1, 'x1', 'keep me')",
      );
      const one = await sink({ create: false, keepPosition: false });
      const rows = [
        { id: 1, a: 'x2' },
        { b: 'z', id: 2, a: undefined },
        { id: 3, a: null },
        { a: 'y', id: 4, b: null },
        { id: 2, a: 'later' },
      ];
      const counts = { new: 0, updated: 0 };
      for (let from = 0; from < rows.length; from += size) {
        const { written } = await one.write(batch(rows.slice(from, from + size)));
        counts.new += written.new;
        counts.updated += written.updated;
      }
      expect(counts).toEqual({ new: 3, updated: 2 });
      expect((await client.query('SELECT * FROM people ORDER BY id')).rows).toEqual([
        { id: 1, a: 'x2', b: 'keep me' },
        { id: 2, a: 'later', b: 'z' },
        { id: 3, a: null, b: 'd' },
        { id: 4, a: 'y', b: null },
      ]);
    },
  );

  it('writes exactly the columns that it is told, missing ones as NULL', async () => {
    await client.query(
      "CREATE TABLE people (id int PRIMARY KEY, a text, b text); INSERT INTO people VALUES (1, 'x', 'keep me')",
    );
    const one = await sink({ columns: ['id', 'a'], keepPosition: false });
    await one.write(
      batch([
        { id: 1, b: 'left out' },
        { id: 2, a: 'y' },
      ]),
    );
    expect(await content()).toEqual([
      { id: 1, a: null, b: 'keep me' },
      { id: 2, a: 'y', b: null },
    ]);
  });

  it('writes bigints within objects as text', async () => {
    const one = await sink({ keepPosition: false });
    await one.write(batch([{ id: 'x', j: { big: [2n ** 60n] }, n: 2n ** 60n }]));
    expect(await content()).toEqual([
      { id: 'x', j: { big: ['1152921504606846976'] }, n: '1152921504606846976' },
    ]);
  });

  it('keeps its position in tables from before there were catalogs in it', async () => {
    await client.query(
      `CREATE TABLE millrace_positions (flow text NOT NULL, sink text NOT NULL, run_seq bigint NOT NULL, step bigint NOT NULL,
         position text NOT NULL, updated_at timestamptz NOT NULL, PRIMARY KEY (flow, sink))`,
    );
    const stored = JSON.stringify({ ...BEGINNING, runSeq: 1, step: 3, cursor: 3 });
    await client.query(
      "INSERT INTO millrace_positions VALUES ('test', 'people', 1, 3, $1, now())",
      [stored],
    );
    const sinks = await Promise.all([1, 2, 3].map(() => sink()));
    expect(await sinks[0]!.takeOver?.(BEGINNING)).toMatchObject({ step: 3, cursor: 3 });
    await sinks[0]!.write(batch([row(1)], 3));
    expect(await content('millrace_positions')).toMatchObject([
      { flow_id: 'catalog-a', step: '4' },
    ]);
  });

  it('creates it once when two sinks begin at the same time', async () => {
    const sinks = await Promise.all([1, 2, 3, 4].map(() => sink({ keepPosition: false })));
    await Promise.all(sinks.map((one, number) => one.write(batch([row(number)]))));
    expect(await content()).toHaveLength(4);
  });

  it('lets the last of two rows with the same key win', async () => {
    const one = await sink({ keepPosition: false });
    const last = row(1);
    const { written } = await one.write(batch([{ ...last, name: 'first' }, last, last]));
    expect(written).toEqual({ new: 1, updated: 1, redundant: 1, unpredictable: 0 });
    expect(await content()).toEqual([last]);
  });

  it('takes a batch of more values than a statement has parameters', async () => {
    const one = await sink({ keepPosition: false });
    const rows = Array.from({ length: 30_000 }, (_, number) => row(number));
    expect((await one.write(batch(rows))).written.new).toBe(30_000);
  });

  it('ends with permanent errors for what a retry would repeat', async () => {
    const missing = await sink({ create: false, keepPosition: false });
    await expect(missing.write(batch([row(1)]))).rejects.toMatchObject({ type: 'TableNotFound' });
    await client.query('CREATE TABLE people (id text, name int, score float8)');
    const one = await sink({ keepPosition: false });
    await expect(one.write(batch([row(1)]))).rejects.toMatchObject({ type: 'SqlError' });
    await client.query('ALTER TABLE people ADD PRIMARY KEY (id)');
    await expect(one.write(batch([{ id: 'x' }]))).resolves.toMatchObject({ written: { new: 1 } });
  });

  it('writes nothing when two attempts of a run write at the same time, but once', async () => {
    const first = await sink({ key: [] });
    const second = await sink({ key: [] });
    await first.takeOver?.(BEGINNING);
    await second.takeOver?.(BEGINNING);
    const results = await Promise.allSettled([
      first.write(batch([row(1)])),
      second.write(batch([row(1)])),
    ]);
    const rejected = results.filter((result) => result.status === 'rejected');
    expect(rejected).toEqual([{ status: 'rejected', reason: expect.any(FenceLost) }]);
    expect(await content()).toEqual([row(1)]);
  });
});
