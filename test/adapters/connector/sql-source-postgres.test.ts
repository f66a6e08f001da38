import { expect, it } from '@jest/globals';
import { sqlSource } from '../../../adapters/connector/sql/sql-source.js';
import { sourceChecks } from '../../../testing/source-conformance.js';
import { describePostgres, execute, usePostgresDatabase } from '../../support/postgres.js';
import { batchesOf, errorOf, lastCursor, reading, rowsOf } from './reading.js';

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

  it('gives values as the driver does, and dates as text', async () => {
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
        at: new Date('2026-01-02T03:04:05Z'),
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
