import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { isCatalogAway } from '../../../adapters/catalog/catalog-away.js';
import { openCatalog, type Catalog } from '../../../adapters/catalog/open-catalog.js';
import { openPostgres } from '../../../adapters/catalog/postgres-database.js';
import { after, declaration, NOON, request } from '../../conformance/data-flow-catalog/flows.js';
import {
  describePostgres,
  execute,
  startOwnPostgres,
  usePostgresDatabase,
} from '../../support/postgres.js';

describePostgres('a catalog in PostgreSQL', () => {
  const database = usePostgresDatabase();
  let catalogs: Catalog[];
  const open = async (url = database.url): Promise<Catalog> => {
    const catalog = await openCatalog({ url });
    catalogs.push(catalog);
    return catalog;
  };

  beforeEach(() => {
    catalogs = [];
  });
  afterEach(async () => {
    await Promise.all(catalogs.map((catalog) => catalog.close()));
  });

  /** What a query behind the catalog's back gives. */
  const query = async (text: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };

  it('can be opened 20 times at once while it is new', async () => {
    const opened = await Promise.all(Array.from({ length: 20 }, () => open()));
    await opened[0]!.dataFlows.declare([declaration()], NOON);
    expect(await opened[19]!.dataFlows.flows()).toHaveLength(1);
    expect(await query('select name from catalog_migrations')).toEqual([
      { name: '0001_data_flows' },
      { name: '0002_record_stores' },
      { name: '0003_attributes' },
    ]);
  });

  it('has no more connections than it may, and says so where none gets free in time', async () => {
    const opened = await openPostgres(database.url, {
      pool: { maxConnections: 1, minConnections: 0, connectionTimeoutMs: 100 },
    });
    try {
      await opened.kysely.connection().execute(async (taken) => {
        await sql`select 1`.execute(taken);
        await expect(sql`select 1`.execute(opened.kysely)).rejects.toThrow(/timeout/);
      });
      await sql`select 1`.execute(opened.kysely);
    } finally {
      await opened.close();
    }
  });

  it('has the types of PostgreSQL', async () => {
    await open();
    const types = await query(
      "select column_name, udt_name, datetime_precision from information_schema.columns where table_name = 'data_flows'",
    );
    expect(types).toEqual(
      expect.arrayContaining([
        { column_name: 'created_at', udt_name: 'timestamptz', datetime_precision: 3 },
        { column_name: 'enabled', udt_name: 'bool', datetime_precision: null },
        { column_name: 'configuration', udt_name: 'json', datetime_precision: null },
        { column_name: 'cursor', udt_name: 'text', datetime_precision: null },
        { column_name: 'last_run_seq', udt_name: 'int8', datetime_precision: null },
      ]),
    );
  });

  it('is not opened when a newer version has changed it', async () => {
    await (await open()).close();
    await execute(
      database.url,
      "insert into catalog_migrations values ('0999_future', '2030-01-01')",
    );
    await expect(open()).rejects.toMatchObject({
      name: 'CatalogNewer',
      unknown: ['0999_future'],
      message: expect.stringContaining('0999_future'),
    });
  });

  it('says where it is and what is wrong when there is no such database, without the password', async () => {
    const url = new URL(database.url);
    url.pathname = '/nowhere';
    url.password = 's3cret';
    const error: unknown = await open(url.href).catch((it: unknown) => it);
    expect(error).toMatchObject({
      name: 'CatalogUnavailable',
      message: expect.stringMatching(
        /^The catalog postgres:\/\/\w+@[\w.:]+\/nowhere cannot be opened: .*"nowhere" does not exist\. Check that PostgreSQL runs there/,
      ),
    });
    expect(String(error)).not.toContain('s3cret');
  });

  it('says so when no server listens there', async () => {
    const error: unknown = await open('postgres://ann:s3cret@127.0.0.1:1/flows').catch(
      (it: unknown) => it,
    );
    expect(error).toMatchObject({
      name: 'CatalogUnavailable',
      message: expect.stringMatching(
        /^The catalog postgres:\/\/ann@127\.0\.0\.1:1\/flows cannot be opened: .*ECONNREFUSED/,
      ),
    });
    expect(JSON.stringify([String(error), error])).not.toContain('s3cret');
  });

  it('gives up after 10 seconds when what listens there does not answer', async () => {
    const silent = await new Promise<Server>((resolve) => {
      const server = createServer((socket) => socket.on('error', () => undefined));
      server.listen(0, '127.0.0.1', () => {
        resolve(server);
      });
    });
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const start = Date.now();
    await expect(open(`postgres://ann@127.0.0.1:${String(port)}/flows`)).rejects.toMatchObject({
      name: 'CatalogUnavailable',
      message: expect.stringMatching(/timeout/),
    });
    expect(Date.now() - start).toBeLessThan(12_000);
    silent.close();
  });

  it('uses at most 10 connections', async () => {
    const { dataFlows } = await open();
    await dataFlows.declare([declaration()], NOON);
    await Promise.all(Array.from({ length: 100 }, () => dataFlows.claim(request())));
    const [row] = await query(
      "select count(*)::int as used from pg_stat_activity where application_name = 'millrace' and datname = current_database()",
    );
    expect(row).toEqual({ used: 10 });
  });

  it('answers a claim with the run that somebody has made behind its back', async () => {
    const { dataFlows } = await open();
    await dataFlows.declare([declaration()], NOON);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query('begin');
      await client.query(
        `insert into data_flow_runs (id, data_flow_id, run_seq, status, trigger, workflow_id, started_at, created_at, updated_at)
         select 'by-hand', id, 77, 'pending', 'manual', 'flow/orders/77', now(), now(), now() from data_flows`,
      );
      const claim = dataFlows.claim(request());
      // The claim has seen no active run, and waits for the index.
      await client.query('select pg_sleep(0.3)');
      await client.query('commit');
      expect(await claim).toMatchObject({ kind: 'active', run: { id: 'by-hand', runSeq: 77 } });
    } finally {
      await client.end();
    }
  });

  it('has the server end what is frozen, unless its address says otherwise', async () => {
    const timeouts = async (url: string): Promise<unknown> => {
      const opened = await openPostgres(url);
      const { rows } = await opened.read((db) =>
        sql`select current_setting('statement_timeout') as statement,
          current_setting('lock_timeout') as lock,
          current_setting('idle_in_transaction_session_timeout') as idle`.execute(db),
      );
      await opened.close();
      return rows;
    };
    expect(await timeouts(database.url)).toEqual([{ statement: '30s', lock: '10s', idle: '1min' }]);
    expect(await timeouts(`${database.url}?lock_timeout=300`)).toEqual([
      { statement: '30s', lock: '300ms', idle: '1min' },
    ]);
    // A pool between them may refuse parameters that it does not know.
    const none = 'statement_timeout=&lock_timeout=&idle_in_transaction_session_timeout=';
    expect(await timeouts(`${database.url}?${none}`)).toEqual([
      { statement: '0', lock: '0', idle: '0' },
    ]);
  });

  it('lets nobody wait for ever for a flow that a frozen process has locked, and sees the others', async () => {
    const url = `${database.url}?lock_timeout=300&idle_in_transaction_session_timeout=1500`;
    const { dataFlows } = await open(url);
    await dataFlows.declare([declaration(), declaration({ name: 'customers' })], NOON);
    const frozen = await openPostgres(url);
    let goOn: () => void = () => undefined;
    const locked = new Promise<void>((resolve) => {
      void frozen
        .write(async (transaction) => {
          await sql`select 1 from data_flows where name = 'orders' for update`.execute(transaction);
          resolve();
          await new Promise<void>((thaw) => (goOn = thaw));
        })
        .catch(() => undefined);
    });
    await locked;
    const refused: unknown = await dataFlows.claim(request()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: '55P03' });
    expect(isCatalogAway(refused)).toBe(true);
    await dataFlows.touch(['customers', 'orders'], after(5));
    expect((await dataFlows.flows()).map(({ seenAt }) => seenAt)).toEqual([after(5), NOON]);
    // The server has ended its transaction by then.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await dataFlows.claim(request())).toMatchObject({ kind: 'claimed' });
    goOn();
    await frozen.close();
  });

  it('answers again after its server has restarted', async () => {
    const server = await startOwnPostgres();
    const warnings: unknown[] = [];
    const log = { info: () => undefined, warn: (fields: unknown) => warnings.push(fields) };
    const catalog = await openCatalog({ url: server.url, log });
    try {
      const { dataFlows } = catalog;
      await dataFlows.declare([declaration()], NOON);
      await Promise.all(Array.from({ length: 20 }, () => dataFlows.flows()));
      await server.restart();
      expect(await dataFlows.flows()).toHaveLength(1);
      expect(warnings).not.toEqual([]);
      await server.restart();
      expect(await dataFlows.claim(request())).toMatchObject({ kind: 'claimed' });
      await server.stop();
      await expect(dataFlows.flows()).rejects.toThrow(/ECONNREFUSED/);
      await server.start();
      expect(await dataFlows.flow('orders')).toMatchObject({ lastRunSeq: 1 });
    } finally {
      await catalog.close();
      await server.dispose();
    }
  });

  it('survives a connection that is lost in the middle of a transaction, which is not repeated', async () => {
    const opened = await openPostgres(database.url);
    let attempts = 0;
    const written = opened.write(async (transaction) => {
      attempts += 1;
      await sql`select pg_terminate_backend(pid) from (select pg_backend_pid() as pid) as own`
        .execute(transaction)
        .catch(() => undefined);
      await sql`select 1`.execute(transaction);
    });
    await expect(written).rejects.toThrow();
    expect(attempts).toBe(1);
    // One that waits for nothing when it is lost.
    await opened
      .write(async (transaction) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
          transaction,
        );
        await execute(database.url, `select pg_terminate_backend(${String(rows[0]!.pid)})`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      })
      .catch(() => undefined);
    const { rows } = await opened.read((db) => sql`select 1 as one`.execute(db));
    expect(rows).toEqual([{ one: 1 }]);
    await opened.close();
  });
});
