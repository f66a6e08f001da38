import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { dataFlowCatalog } from '../../../adapters/catalog/data-flows/data-flow-catalog.js';
import { migrate, MIGRATIONS } from '../../../adapters/catalog/migrations/migrate.js';
import { openCatalog, type Catalog } from '../../../adapters/catalog/open-catalog.js';
import { openSqlite } from '../../../adapters/catalog/sqlite-database.js';
import {
  begunRun,
  declaration,
  NOON,
  positionAt,
} from '../../conformance/data-flow-catalog/flows.js';
import { useTemporaryDirectory } from '../../support/temporary-directory.js';

describe('a catalog in a SQLite file', () => {
  const dir = useTemporaryDirectory();
  let file: string;
  let catalogs: Catalog[];
  const open = async (path = file): Promise<Catalog> => {
    const catalog = await openCatalog({ url: `sqlite:${path}` });
    catalogs.push(catalog);
    return catalog;
  };

  beforeEach(() => {
    file = join(dir.path, 'catalog.db');
    catalogs = [];
  });
  afterEach(async () => {
    await Promise.all(catalogs.map((catalog) => catalog.close()));
  });

  /** Does something to the file behind the catalog's back. */
  const inFile = <T>(act: (database: Sqlite.Database) => T): T => {
    const database = new Sqlite(file);
    try {
      return act(database);
    } finally {
      database.close();
    }
  };

  it('is created with its folder, and is there when it is opened again', async () => {
    file = join(dir.path, 'some', 'new folder', 'catalog.db');
    const first = await open();
    await first.dataFlows.declare([declaration()], NOON);
    await first.close();
    expect((await stat(file)).isFile()).toBe(true);
    expect(await (await open()).dataFlows.flows()).toHaveLength(1);
  });

  it('has a write-ahead log, so that readers and a writer do not wait for each other', async () => {
    await open();
    expect(inFile((database) => database.pragma('journal_mode', { simple: true }))).toBe('wal');
  });

  it('can be read by people: times and JSON are text', async () => {
    await (await open()).dataFlows.declare([declaration()], NOON);
    expect(inFile((database) => database.prepare('select * from data_flows').get())).toMatchObject({
      enabled: 1,
      configuration: '{"batch":200,"filter":{"status":"open"}}',
      created_at: '2026-03-01T12:00:00.123Z',
    });
  });

  it('refuses an interval that is none', async () => {
    const { dataFlows } = await open();
    await expect(dataFlows.declare([declaration({ runInterval: 0 })], NOON)).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT_CHECK',
    });
    expect(await dataFlows.flows()).toEqual([]);
  });

  it('can be opened 20 times at once while it is new', async () => {
    const opened = await Promise.all(Array.from({ length: 20 }, () => open()));
    await opened[0]!.dataFlows.declare([declaration()], NOON);
    expect(await opened[19]!.dataFlows.flows()).toHaveLength(1);
    const migrations = inFile((database) =>
      database.prepare('select name from catalog_migrations').all(),
    );
    expect(migrations).toEqual([
      { name: '0001_data_flows' },
      { name: '0002_record_stores' },
      { name: '0003_attributes' },
    ]);
  });

  it('is brought up to date once, and nobody is told of migrations while it is new', async () => {
    const lines: unknown[] = [];
    const log = { info: (fields: unknown) => lines.push(fields), warn: () => undefined };
    await (await openCatalog({ url: `sqlite:${file}`, log })).close();
    expect(lines).toEqual([]);
    const next = { ...MIGRATIONS, '0999_next': async () => undefined };
    const database = await openSqlite(file);
    const ran = [
      await migrate(database, file),
      await migrate(database, file, next),
      await migrate(database, file, next),
    ];
    await database.close();
    expect(ran).toEqual([
      { migrations: [], isNew: false },
      { migrations: ['0999_next'], isNew: false },
      { migrations: [], isNew: false },
    ]);
  });

  it('is not opened when a newer version has changed it, and not changed then', async () => {
    await (await open()).close();
    inFile((database) =>
      database.exec("insert into catalog_migrations values ('0999_future', '2030-01-01')"),
    );
    await expect(open()).rejects.toMatchObject({
      name: 'CatalogNewer',
      address: `sqlite:${file}`,
      unknown: ['0999_future'],
      message: expect.stringMatching(/0999_future.* which version .* Run the newer version/),
    });
  });

  it('says what is wrong when the file is no database', async () => {
    await writeFile(file, 'This is a text, and long enough not to be taken for a new database.');
    await expect(open()).rejects.toMatchObject({
      name: 'CatalogUnavailable',
      message: `The catalog sqlite:${file} cannot be opened: file is not a database. Check that this user may create and write the file and its folder, and that the file is a SQLite database.`,
    });
    expect(await readFile(file, 'utf8')).toMatch(/^This is a text/);
  });

  it('says what is wrong when its folder cannot be created', async () => {
    await writeFile(file, '');
    await expect(open(join(file, 'catalog.db'))).rejects.toMatchObject({
      name: 'CatalogUnavailable',
      message: expect.stringMatching(/catalog\.db cannot be opened: .*(EEXIST|ENOTDIR)/),
    });
  });

  it('may be closed more than once', async () => {
    const catalog = await open();
    await catalog.close();
    await catalog.close();
    await expect(catalog.dataFlows.flows()).rejects.toThrow();
  });

  it('waits for another writer without keeping the process from its work', async () => {
    const { dataFlows } = await open();
    const writer = new Sqlite(file);
    writer.exec('begin immediate');
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 10);
    const declared = dataFlows.declare([declaration()], NOON);
    await delay(500);
    expect(await Promise.race([declared.then(() => 'declared'), delay(0, 'waiting')])).toBe(
      'waiting',
    );
    writer.exec('commit');
    writer.close();
    await declared;
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(20);
    expect(await dataFlows.flows()).toHaveLength(1);
  });

  it('gives up after 5 seconds of waiting', async () => {
    const { dataFlows } = await open();
    const writer = new Sqlite(file);
    writer.exec('begin immediate');
    const start = Date.now();
    await expect(dataFlows.declare([declaration()], NOON)).rejects.toMatchObject({
      code: 'SQLITE_BUSY',
    });
    expect(Date.now() - start).toBeGreaterThanOrEqual(5_000);
    // Readers do not wait for anybody.
    expect(await dataFlows.flows()).toEqual([]);
    writer.close();
    await dataFlows.declare([declaration()], NOON);
  });

  it('passes on that the disk is full, and goes on when it is not any more', async () => {
    const database = await openSqlite(file);
    try {
      await migrate(database, file);
      const flows = dataFlowCatalog(database);
      const ref = await begunRun(flows);
      const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(
        database.kysely,
      );
      await sql`pragma max_page_count = ${sql.lit(rows[0]!.page_count)}`.execute(database.kysely);
      const move = { from: 0, to: positionAt(1, 'x'.repeat(100_000)), rejections: [], now: NOON };
      await expect(flows.advance(ref, move)).rejects.toMatchObject({ code: 'SQLITE_FULL' });
      expect(await flows.position(ref)).toMatchObject({ step: 0, cursor: null });
      await sql`pragma max_page_count = 1000000`.execute(database.kysely);
      expect(await flows.advance(ref, move)).toBe(true);
    } finally {
      await database.close();
    }
  });
});
