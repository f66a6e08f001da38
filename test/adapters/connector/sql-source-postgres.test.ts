import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { sqlSink } from '../../../adapters/connector/sql/sql-sink.js';
import { sqlSource } from '../../../adapters/connector/sql/sql-source.js';
import type { Row } from '../../../src/data-flow/row.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { describePostgres, execute, usePostgresDatabase } from '../../support/postgres.js';
import { batchesOf, errorOf, lastCursor, reading, rowsOf } from './reading.js';
import { batch, opened } from './writing.js';

describePostgres('the sql source on PostgreSQL', () => {
  const database = usePostgresDatabase();
  const options = (more: object = {}) => ({
    database: database.url,
    table: 'items',
    cursor: ['id'],
    ...more,
  });

  const checks = sourceChecks({
    source: sqlSource,
    setUp: async () => {
      await execute(
        database.url,
        `CREATE SCHEMA s; CREATE TABLE s.items (id int PRIMARY KEY, "odd.name" text);
         INSERT INTO s.items SELECT n, 'ü' || n % 7 FROM generate_series(1, 230) AS n`,
      );
      const rows = Array.from({ length: 230 }, (_, n) => ({
        id: n + 1,
        'odd.name': `ü${(n + 1) % 7}`,
      }));
      rows.sort((a, b) => a['odd.name'].localeCompare(b['odd.name']) || a.id - b.id);
      return { options: options({ table: 's.items', cursor: ['odd.name', 'id'] }), rows };
    },
  });
  it.each(checks.map((check) => [check.name, check.run] as const))('%s', (_check, run) => run());

  it('neither repeats nor loses rows with microseconds and large integers in the cursor', async () => {
    await execute(
      database.url,
      `CREATE TABLE items (at timestamptz, big bigint, ratio float8, amount numeric);
       INSERT INTO items SELECT '2026-01-01T00:00:00Z'::timestamptz + n / 3 * interval '1 microsecond',
         9007199254740993 + n, n / 3.0, n / 7.0 FROM generate_series(0, 29) AS n`,
    );
    for (const cursor of [['at', 'big'], ['big'], ['ratio'], ['amount'], ['at', 'amount']]) {
      const batches = await batchesOf(sqlSource, options({ cursor }), { batchSize: 2 });
      const all = batches.flatMap(({ rows }) => rows.map((row) => row['big']));
      expect(all).toEqual(
        Array.from({ length: 30 }, (_, n) => String(9007199254740993n + BigInt(n))),
      );
      expect(
        await rowsOf(sqlSource, options({ cursor }), { cursor: batches[7]!.cursor }),
      ).toHaveLength(14);
    }
  });

  describe('rows of a transaction that commits late', () => {
    const late = async (body: (late: pg.Client) => Promise<void>) => {
      await execute(
        database.url,
        'CREATE TABLE items (id serial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), who text)',
      );
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      try {
        await client.query('BEGIN');
        await client.query("INSERT INTO items (who) VALUES ('A')");
        await execute(database.url, "INSERT INTO items (who) VALUES ('B')");
        await body(client);
      } finally {
        await client.end();
      }
    };
    const who = (rows: readonly Row[]) => rows.map((row) => row['who']);

    it('are read with a lag that is longer than it takes', async () => {
      await late(async (client) => {
        const given = options({ cursor: ['at', 'id'], lag: '2s' });
        expect(who(await rowsOf(sqlSource, given))).toEqual([]);
        await client.query('COMMIT');
        await delay(2_100);
        const batches = await batchesOf(sqlSource, given, { batchSize: 1 });
        expect(who(batches.flatMap(({ rows }) => rows))).toEqual(['A', 'B']);
        await execute(database.url, "INSERT INTO items (who) VALUES ('C')");
        const { cursor } = batches[1]!;
        expect(await rowsOf(sqlSource, given, { cursor })).toEqual([]);
        expect(who(await rowsOf(sqlSource, { ...given, lag: 1 }, { cursor }))).toEqual(['C']);
      });
    });

    it('are lost without one, as the option says', async () => {
      await late(async (client) => {
        const cursor = await lastCursor(sqlSource, options());
        await client.query('COMMIT');
        expect(await rowsOf(sqlSource, options(), { cursor })).toEqual([]);
        const lag = sqlSource.options.shape['lag'] as { readonly description?: string };
        expect(lag.description).toContain('what commits behind the cursor');
      });
    });

    it('cannot be waited for by a cursor whose first column has no age', async () => {
      await execute(database.url, 'CREATE TABLE items (id int, at timestamp)');
      for (const cursor of [['id'], ['at', 'id']]) {
        expect(await errorOf(sqlSource, options({ cursor, lag: 5 }))).toMatchObject({
          type: 'UnusableCursor',
          message: expect.stringContaining('needs a timestamptz'),
        });
      }
      await execute(database.url, "INSERT INTO items VALUES (1, '2026-01-01 00:00:00')");
      const query = "SELECT id, at AT TIME ZONE 'UTC' AS at FROM items";
      const { table: _table, ...given } = options({ query, cursor: ['at', 'id'], lag: 5 });
      expect(await rowsOf(sqlSource, given)).toHaveLength(1);
    });
  });

  it('gives times with their microseconds, whatever the time zone of the worker', async () => {
    await execute(
      database.url,
      `CREATE TABLE items AS SELECT 1 AS id, '2026-03-29 02:30:00.123456'::timestamp AS local,
         '2026-03-29T01:30:00.123456Z'::timestamptz AS at,
         ARRAY['2026-03-29 02:30:00.123456', NULL]::timestamp[] AS locals,
         ARRAY['2026-03-29T01:30:00.123456Z']::timestamptz[] AS ats, ARRAY['2026-03-29']::date[] AS days;
       CREATE TABLE copies (LIKE items); ALTER TABLE copies ADD PRIMARY KEY (id)`,
    );
    const zone = process.env['TZ'];
    process.env['TZ'] = 'America/New_York';
    try {
      const rows = await rowsOf(sqlSource, options());
      expect(rows).toEqual([
        {
          id: 1,
          local: '2026-03-29 02:30:00.123456',
          at: expect.stringMatching(/^2026-03-29 \d\d:30:00\.123456[+-]\d\d$/),
          locals: ['2026-03-29 02:30:00.123456', null],
          ats: [expect.stringMatching(/^2026-03-29 \d\d:30:00\.123456[+-]\d\d$/)],
          days: ['2026-03-29'],
        },
      ]);
      expect(new Date(String(rows[0]!['at']))).toEqual(new Date('2026-03-29T01:30:00.123Z'));
      const to = { database: database.url, table: 'copies', key: ['id'], keepPosition: false };
      const sink = await opened(sqlSink, to);
      await sink.write(batch(rows));
      await sink.close?.();
      const same = { ...options(), table: undefined, cursor: ['n'] };
      const query =
        'SELECT count(*)::int AS n FROM (SELECT * FROM items INTERSECT SELECT * FROM copies) AS both_';
      const given = JSON.parse(JSON.stringify({ ...same, query })) as never;
      expect(await rowsOf(sqlSource, given)).toEqual([{ n: 1 }]);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it('gives values as the driver does, and dates and timestamps as text', async () => {
    await execute(
      database.url,
      `CREATE TABLE items AS SELECT 1 AS id, 1.5::float8 AS f, '12345678901234567890'::numeric AS n,
         9007199254740993 AS b, true AS t, '2026-01-02T03:04:05Z'::timestamptz AS at,
         '2026-01-02'::date AS d, '{"a":[1]}'::jsonb AS j, '\\x01'::bytea AS y, null AS nothing`,
    );
    expect(await rowsOf(sqlSource, options())).toEqual([
      {
        id: 1,
        f: 1.5,
        n: '12345678901234567890',
        b: '9007199254740993',
        t: true,
        at: expect.stringMatching(/^2026-01-02 \d\d:04:05[+-]\d\d$/),
        d: '2026-01-02',
        j: { a: [1] },
        y: Buffer.from([1]),
        nothing: null,
      },
    ]);
  });

  it('reads a query, and later what has come behind its cursor', async () => {
    await execute(
      database.url,
      'CREATE TABLE items (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int)',
    );
    await execute(database.url, 'INSERT INTO items (n) VALUES (1), (2), (3)');
    const query = {
      table: undefined,
      query: 'SELECT n * 2 AS double, id FROM items; ',
      columns: ['double'],
      cursor: ['double'],
    };
    const given = JSON.parse(JSON.stringify(options(query))) as ReturnType<typeof options>;
    const cursor = await lastCursor(sqlSource, given, {});
    await execute(database.url, 'INSERT INTO items (n) VALUES (4)');
    expect(await rowsOf(sqlSource, given, { cursor })).toEqual([{ double: 8 }]);
    expect(await rowsOf(sqlSource, options(), { batchSize: 1 })).toHaveLength(4);
  });

  it('refuses NULLs and values that are there twice', async () => {
    await execute(
      database.url,
      "CREATE TABLE items (id int, n text); INSERT INTO items VALUES (1, 'a'), (null, 'b'), (1, 'c')",
    );
    expect(await errorOf(sqlSource, options())).toMatchObject({
      type: 'UnusableCursor',
      message: expect.stringContaining('Table items has rows whose column "id" is NULL'),
    });
    await execute(database.url, 'DELETE FROM items WHERE id IS NULL');
    expect(await errorOf(sqlSource, options(), { batchSize: 1 })).toMatchObject({
      type: 'UnusableCursor',
    });
  });

  it('ends with permanent errors for what a retry would repeat, without the password', async () => {
    const errors = [
      await errorOf(sqlSource, options()),
      await errorOf(
        sqlSource,
        JSON.parse(JSON.stringify(options({ table: undefined, query: 'SELEC' }))) as never,
      ),
    ];
    for (const error of errors) expect(error).toMatchObject({ type: 'SqlError' });
    const url = new URL(database.url);
    url.port = '1';
    url.password = 'hidden-password';
    const error = await errorOf(sqlSource, options({ database: url.href }));
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toMatchObject({ type: 'SqlError' });
    expect(String(error)).not.toContain('hidden-password');
  });

  it('ends at once when it is aborted in the middle of a statement', async () => {
    const controller = new AbortController();
    const slow = {
      table: undefined,
      query: 'SELECT 1 AS id, pg_sleep(60)::text AS s',
      cursor: ['id'],
    };
    const given = JSON.parse(JSON.stringify(options(slow))) as ReturnType<typeof options>;
    const iterator = reading(sqlSource, given, { signal: controller.signal })[
      Symbol.asyncIterator
    ]();
    setTimeout(() => {
      controller.abort(new Error('stopped'));
    }, 200);
    await expect(iterator.next()).rejects.toThrow('stopped');
  });
});
