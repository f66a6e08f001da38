import { Migrator, sql, type Kysely, type Migration } from 'kysely';
import { VERSION } from '../../../src/version.js';
import { CatalogNewer } from '../catalog-errors.js';
import type { CatalogDatabase, Dialect } from '../database.js';
import { createDataFlows } from './0001-data-flows.js';
import { createRecordStores } from './0002-record-stores.js';
import { createAttributes } from './0003-attributes.js';
import { columnTypes, type ColumnTypes } from './column-types.js';

/** Migrations by name, in their order. */
export type Migrations = Readonly<
  Record<string, (db: Kysely<unknown>, types: ColumnTypes) => Promise<void>>
>;

/** Every migration. One that is released stays as it is. */
export const MIGRATIONS: Migrations = {
  '0001_data_flows': createDataFlows,
  '0002_record_stores': createRecordStores,
  '0003_attributes': createAttributes,
};

const MIGRATIONS_TABLE = 'catalog_migrations';

/**
 * Brings the tables up to date. Several processes may do it at the same time: one does it, the others wait.
 *
 * @param address - for messages
 * @param wanted - all that this version knows
 * @returns the names of the migrations that this call has run, and whether there were no tables before
 * @throws {@link CatalogNewer}
 */
export async function migrate(
  database: CatalogDatabase,
  address: string,
  wanted: Migrations = MIGRATIONS,
): Promise<{ readonly migrations: readonly string[]; readonly isNew: boolean }> {
  const migrator = new Migrator({
    db: database.kysely,
    provider: { getMigrations: async () => migrationsFor(database.kind, wanted) },
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: `${MIGRATIONS_TABLE}_lock`,
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error === undefined) {
    const migrations = results.map(({ migrationName }) => migrationName);
    return { migrations, isNew: migrations.length === Object.keys(wanted).length };
  }
  const unknown = await unknownMigrations(database, wanted);
  if (unknown.length > 0) throw new CatalogNewer(address, unknown, VERSION);
  throw error instanceof Error ? error : new Error('The migrations failed.', { cause: error });
}

function migrationsFor(kind: Dialect['kind'], wanted: Migrations): Record<string, Migration> {
  const types = columnTypes(kind);
  return Object.fromEntries(
    Object.entries(wanted).map(([name, up]) => [
      name,
      {
        up: async (db) => {
          if (kind === 'postgres') await withoutTimeouts(db);
          await up(db, types);
        },
      },
    ]),
  );
}

/** A large table may take longer than any other statement. All migrations are one transaction. */
async function withoutTimeouts(db: Kysely<unknown>): Promise<void> {
  await sql`set local statement_timeout = 0`.execute(db);
  await sql`set local lock_timeout = 0`.execute(db);
}

/** What has been run here and is not known; empty too when the table cannot be read, for which the migrator has a reason. */
async function unknownMigrations(
  { kysely }: CatalogDatabase,
  wanted: Migrations,
): Promise<readonly string[]> {
  try {
    const { rows } = await sql<{ name: string }>`
      select name from ${sql.table(MIGRATIONS_TABLE)} order by name`.execute(kysely);
    return rows.map(({ name }) => name).filter((name) => !Object.hasOwn(wanted, name));
  } catch {
    return [];
  }
}
