import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { sqlSink as definition } from '../../../adapters/connector/sql/sql-sink.js';
import { RowsRefused } from '../../../src/data-flow/refusal.js';
import type { Row } from '../../../src/data-flow/row.js';
import type { OpenSink, SinkConnector } from '../../../src/data-flow/sink.js';
import { sinkChecks } from '../../../testing/sink-conformance.js';
import { describePostgres, usePostgresDatabase } from '../../support/postgres.js';
import { BEGINNING, batch, opened, refusal } from './writing.js';

const sqlSink: SinkConnector = definition;

const PEOPLE = 'CREATE TABLE people (id bigint PRIMARY KEY, name';

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
    jest.restoreAllMocks();
    for (const one of open.splice(0)) await one.close?.();
    await client.end();
  });

  const options = (more: object = {}) => ({
    database: database.url,
    table: 'people',
    key: ['id'],
    keepPosition: false,
    ...more,
  });

  async function sink(more: object = {}): Promise<OpenSink> {
    const one = await opened(sqlSink, options(more));
    open.push(one);
    return one;
  }

  async function content(table = 'people'): Promise<readonly Row[]> {
    const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${table}`);
    return rows.map((row) => ({ ...row, ...('id' in row && { id: Number(row['id']) }) }));
  }

  const row = (number: number) => ({ id: number, name: `naïve ${number}` });
  const many = (count: number, name: (id: number) => unknown): readonly Row[] =>
    Array.from({ length: count }, (_, id) => ({ id, name: name(id) }));

  for (const [name, more] of [
    ['with a key and the position', { keepPosition: true }],
    ['with a key', {}],
    ['without a key, with the position', { key: [], keepPosition: true }],
  ] as const) {
    const checks = sinkChecks({
      sink: sqlSink,
      setUp: async () => {
        await client.query(`${PEOPLE} varchar(20) NOT NULL)`);
        return { options: options(more), content: () => content() };
      },
      row,
      refused: (number) => ({ id: 900 + number, name: number % 2 ? null : 'x'.repeat(30) }),
      once: true,
    });
    it.each(checks.map((check) => [check.name, check.run] as const))(`${name}: %s`, (_check, run) =>
      run(),
    );
  }

  it.each([
    ['a NUL', `${PEOPLE} text)`, 'a\0b', 'unsupported Unicode escape sequence. \\u0000 cannot'],
    ['NULL', `${PEOPLE} text NOT NULL)`, null, 'null value in column "name"'],
    ['a check', `${PEOPLE} text CHECK (name <> 'no'))`, 'no', 'violates check constraint'],
    ['a length', `${PEOPLE} varchar(5))`, 'longer', 'value too long for type character varying(5)'],
    ['another key', `${PEOPLE} text UNIQUE)`, 'first', 'Key (name)=(first) already exists.'],
    ['a type', `CREATE TYPE n AS ENUM ('first', 'last'); ${PEOPLE} n)`, 'x', 'invalid input value'],
    [
      'a foreign key',
      `CREATE TABLE names (name text PRIMARY KEY); INSERT INTO names VALUES ('first'), ('last'); ${PEOPLE} text REFERENCES names)`,
      'nobody',
      'Key (name)=(nobody) is not present in table "names".',
    ],
    [
      'a key that is looked at when all is written',
      `${PEOPLE} text UNIQUE DEFERRABLE INITIALLY DEFERRED)`,
      'first',
      'duplicate key value',
    ],
    [
      'a foreign key that is looked at when all is written',
      `CREATE TABLE names (name text PRIMARY KEY); INSERT INTO names VALUES ('first'), ('last');
       ${PEOPLE} text REFERENCES names DEFERRABLE INITIALLY DEFERRED)`,
      'nobody',
      'is not present in table "names".',
    ],
    [
      'a trigger that says so',
      `${PEOPLE} text); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.name = 'no' THEN RAISE 'not this one' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER t BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION f()`,
      'no',
      'not this one',
    ],
  ])(
    'tells a row that is refused because of %s, and writes nothing',
    async (_name, sql, bad, why) => {
      await client.query(sql);
      const one = await sink();
      const [first, last] = [
        { id: 1, name: 'first' },
        { id: 3, name: 'last' },
      ];
      expect(await refusal(one.write(batch([first, { id: 2, name: bad }, last])))).toEqual([
        { at: 1, reason: expect.stringContaining(why) },
      ]);
      expect(await content()).toEqual([]);
      expect((await one.write(batch([first, last]))).written).toMatchObject({ new: 2 });
      expect(await content()).toEqual([first, last]);
    },
  );

  it.each([
    ['a number', 'int', '12x'],
    ['a number that is too large', 'int', 2 ** 40],
    ['a day', 'date', '2026-02-30'],
    ['JSON that cannot be', 'jsonb', { a: '\0' }],
  ])('tells a value that is no %s', async (_name, type, bad) => {
    await client.query(`${PEOPLE} ${type})`);
    const one = await sink({ key: [] });
    const rows = [{ id: 1 }, { id: 2, name: bad }, { id: 3, name: null }];
    expect(await refusal(one.write(batch(rows)))).toMatchObject([{ at: 1 }]);
  });

  it('tells rows without a key, and without any value', async () => {
    await client.query(`${PEOPLE} text)`);
    const keyed = await sink();
    const rows = [{ id: 1 }, { name: 'x' }, { id: null, name: 'y' }, { id: new Date(NaN) }];
    expect((await refusal(keyed.write(batch(rows)))).map(({ at }) => at)).toEqual([1, 2, 3]);
    const other = await sink({ key: [] });
    expect(await refusal(other.write(batch([{ id: 1 }, {}])))).toMatchObject([{ at: 1 }]);
    const self: Record<string, unknown> = {};
    self['self'] = self;
    expect(await refusal(keyed.write(batch([{ id: 1 }, { id: 2, name: self }])))).toEqual([
      { at: 1, reason: expect.stringContaining('circular') },
    ]);
  });

  it('does not blame rows that refer to others which come after them', async () => {
    await client.query(
      'CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, boss bigint REFERENCES people)',
    );
    const one = await sink();
    const chain = Array.from({ length: 20 }, (_, at) => ({
      id: at,
      name: 'x',
      boss: at === 19 ? null : at + 1,
    }));
    const rows = [...chain.slice(0, 13), { id: 99, name: null, boss: null }, ...chain.slice(13)];
    rows.push({ id: 98, name: 'y', boss: 777 });
    const refused = await refusal(one.write({ ...batch(rows), refusalsLeft: 2 }));
    expect(refused.map(({ at }) => at)).toEqual([13, 21]);
    await one.write(batch(chain));
    expect(await content()).toHaveLength(20);
  });

  it('is not misled by other rows of the same key', async () => {
    await client.query(`${PEOPLE} text CHECK (name <> 'no'), age int)`);
    const one = await sink();
    const rows = [
      { id: 1, name: 'no' },
      { id: 1, name: 'yes' },
      { id: 2, name: 'yes', age: 1 },
      { id: 2, name: 'no' },
    ];
    // Of the first key only the later row is written.
    expect(await refusal(one.write(batch(rows)))).toMatchObject([{ at: 3 }]);
    await one.write(batch(rows.slice(0, 3)));
    expect(await content()).toEqual([
      { id: 1, name: 'yes', age: null },
      { id: 2, name: 'yes', age: 1 },
    ]);
  });

  it('leaves the position where it is, and locks out who has taken over meanwhile', async () => {
    await client.query(`${PEOPLE} text NOT NULL)`);
    const one = await sink({ keepPosition: true });
    await one.takeOver?.(BEGINNING);
    await expect(one.write(batch([row(1), { id: 2, name: null }]))).rejects.toThrow(RowsRefused);
    expect(await content('millrace_positions')).toMatchObject([{ step: '0' }]);
    await one.write(batch([row(1)]));
    expect(await content('millrace_positions')).toMatchObject([{ step: '1' }]);
    await expect(one.write(batch([{ id: 2, name: null }]))).rejects.toMatchObject({
      name: 'FenceLost',
    });
  });

  it('takes few statements for one row, some for each where it is all of them, none in vain', async () => {
    await client.query(`${PEOPLE} text NOT NULL)`);
    const one = await sink();
    const query = jest.spyOn(pg.Client.prototype, 'query');
    const statements = async (rows: readonly Row[], refusalsLeft = 1_000): Promise<number> => {
      query.mockClear();
      await expect(one.write({ ...batch(rows), refusalsLeft })).rejects.toThrow(RowsRefused);
      return query.mock.calls.length;
    };
    const single = await statements(many(1_000, (id) => (id === 700 ? null : 'x')));
    expect(single).toBeLessThan(10 + 3 * Math.log2(1_000));
    const all = await statements(many(256, () => null));
    expect(all).toBeLessThan(10 + 4 * 256);
    const few = await statements(
      many(1_000, () => null),
      3,
    );
    expect(few).toBeLessThan(10 + 4 * (4 + Math.log2(1_000)));
    query.mockClear();
    await one.write(batch(many(1_000, () => 'x')));
    // BEGIN, the rows, COMMIT.
    expect(query).toHaveBeenCalledTimes(3);
  });

  it.each([
    ['a missing column', `CREATE TABLE people (id bigint PRIMARY KEY CHECK (id > 5))`, '42703'],
    ['a key without an index', 'CREATE TABLE people (id bigint, name text)', '42P10'],
    [
      'a trigger that does not say so',
      `${PEOPLE} text); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
       CREATE TRIGGER t BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION f()`,
      'P0001',
    ],
  ])('does not take %s for the fault of rows', async (_name, sql, code) => {
    await client.query(sql);
    const one = await sink();
    const error: unknown = await one.write(batch([row(1), row(2)])).catch((e: unknown) => e);
    expect(error).not.toBeInstanceOf(RowsRefused);
    expect(error).toMatchObject(code === 'P0001' ? { code } : { details: { code } });
  });

  it('does not take a lost connection for the fault of rows, while it looks for them', async () => {
    await client.query(
      `${PEOPLE} text NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.name = 'kill' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$;
       CREATE TRIGGER t BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION f()`,
    );
    const one = await sink();
    const rows = [{ id: 1, name: null }, row(2), { id: 3, name: 'kill' }];
    const error: unknown = await one.write(batch(rows)).catch((e: unknown) => e);
    expect(error).not.toBeInstanceOf(RowsRefused);
    expect(error).not.toMatchObject({ type: 'SqlError' });
    expect(await content()).toEqual([]);
  });

  it('does not take a missing permission for the fault of rows', async () => {
    await client.query(`${PEOPLE} text NOT NULL); GRANT SELECT ON people TO PUBLIC`);
    const role = `reader_${String(process.pid)}`;
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    try {
      const url = new URL(database.url);
      url.username = role;
      url.password = 'x';
      const one = await sink({ database: url.href });
      await expect(one.write(batch([{ id: 1, name: null }]))).rejects.toMatchObject({
        details: { code: '42501' },
      });
      for (const each of open.splice(0)) await each.close?.();
    } finally {
      await client.query(`DROP ROLE ${role}`);
    }
  });
});
