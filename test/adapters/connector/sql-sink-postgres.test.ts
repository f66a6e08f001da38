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

  async function content(): Promise<readonly unknown[]> {
    return (await client.query<Record<string, unknown>>('SELECT * FROM people')).rows;
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
      setUp: () => ({ options: options({ ...more, key: [...more.key] }), content }),
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
    await expect(one.write(batch([row(1)]))).rejects.toMatchObject({
      type: 'SqlError',
      details: { code: '22P02' },
    });
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
