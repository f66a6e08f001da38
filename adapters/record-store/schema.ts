import { createHash } from 'node:crypto';
import { storedValue, type Column, type StoredValue } from '../../src/record-store/column.js';
import { MigrationChanged, StoreUnusable } from '../../src/record-store/errors.js';
import type { Migration, Migrations } from '../../src/record-store/migration.js';
import { errorMessage } from '../error-parts.js';
import { guarded, isAboutFile, type Connection } from './connection.js';
import { createOwnTables, forgetVersion, formatOf } from './own-tables.js';
import type { RecordModel, RecordModels } from './record-model.js';

/** A migration that has run. */
interface Ran {
  readonly name: string;
  readonly checksum: string;
  readonly ran_at: string;
}

/** What brings a database to what the code says. */
interface SchemaParts {
  readonly db: Connection;
  readonly file: string;
  readonly models: RecordModels;
  readonly migrations: Migrations;
}

/**
 * Makes the tables of a new database, and runs the migrations that have not run: schemas first, each once and by its name.
 * Either everything is done or nothing.
 *
 * @throws {@link StoreUnusable} for a database that is none of a store's, was written by newer code, or has tables that are not as
 *   the code says; {@link MigrationChanged}
 */
export function prepareSchema(parts: SchemaParts, now: Date): void {
  const { db, file, models, migrations } = parts;
  const steps = [
    ...[...models.values()].map((model) => tableStep(parts, model)),
    ...Object.entries(migrations).map(([name, migration]) => migrationStep(parts, name, migration)),
  ];
  guarded(file, () => {
    db.transaction(() => {
      // Looked at in the transaction: another process may be making the same store.
      if (formatOf(db, file) === 0) createOwnTables(db, now);
      forgetVersion(db);
      run(parts, steps, now);
      for (const model of models.values()) checkTable(parts, model);
    }).immediate();
  });
}

/** One thing that is done once. */
interface Step {
  readonly name: string;
  readonly checksum: string;
  readonly act: () => void;
  /** Tables have changed by migrations since they were made, so that what they were made with may have changed, too. */
  readonly isTable: boolean;
}

function run({ db, file }: SchemaParts, steps: readonly Step[], now: Date): void {
  const rows = db.prepare('select name, checksum, ran_at from millrace_migrations').all() as Ran[];
  const ran = new Map(rows.map((row) => [row.name, row]));
  const unknown = rows.filter(({ name }) => !steps.some((step) => step.name === name));
  const [later] = unknown.filter(({ name }) => !name.startsWith('table '));
  if (later !== undefined)
    throw new StoreUnusable(
      file,
      `the migration "${later.name}" ran on ${later.ran_at}, and this code does not have it. Deploy the code that has it, or restore a version from before.`,
    );
  const record = db.prepare(
    'insert into millrace_migrations (name, checksum, ran_at) values (?, ?, ?)',
  );
  for (const { name, checksum, act, isTable } of steps) {
    const before = ran.get(name);
    if (before === undefined) {
      try {
        act();
      } catch (error) {
        if (isAboutFile(error)) throw error;
        throw failedStep(file, name, error);
      }
      record.run(name, checksum, now.toISOString());
    } else if (!isTable && before.checksum !== checksum)
      throw new MigrationChanged(file, name, before.ran_at);
  }
}

function failedStep(file: string, name: string, error: unknown): StoreUnusable {
  return new StoreUnusable(
    file,
    `the migration "${name}" failed: ${errorMessage(error)}. Nothing of it, and of those with it, was kept.`,
    { cause: error },
  );
}

function tableStep({ db }: SchemaParts, model: RecordModel): Step {
  const columns = model.columns.filter(({ name }) => !model.added.has(name));
  const text = `create table "${model.table}" (\n${['"id" integer primary key', ...columns.map(columnSql)].map((line) => `  ${line}`).join(',\n')}\n)`;
  return {
    name: `table ${model.table}`,
    checksum: checksum(text),
    act: () => db.exec(text),
    isTable: true,
  };
}

function migrationStep(parts: SchemaParts, name: string, migration: Migration): Step {
  const { db, models } = parts;
  if ('sql' in migration) {
    const texts = typeof migration.sql === 'string' ? [migration.sql] : migration.sql;
    const text = texts.join(';\n');
    // Where lines are broken says nothing about what is done.
    const same = text.replaceAll(/\s+/g, ' ').trim();
    return { name, checksum: checksum(same), act: () => db.exec(text), isTable: false };
  }
  const columns = Object.entries(migration.addColumns).flatMap(([record, names]) => {
    const model = models.get(record);
    return (model?.columns ?? [])
      .filter((column) => names.includes(column.name))
      .map((column) => `alter table "${model?.table ?? ''}" add column ${columnSql(column)}`);
  });
  const text = columns.join(';\n');
  const named = JSON.stringify(migration.addColumns);
  return { name, checksum: checksum(named), act: () => db.exec(text), isTable: false };
}

const SQL_TYPE: Readonly<Record<Column['kind'], string>> = {
  text: 'text',
  integer: 'integer',
  bigint: 'integer',
  boolean: 'integer',
  real: 'real',
  date: 'text',
  json: 'text',
};

function columnSql(column: Column): string {
  const parts = [`"${column.name}"`, SQL_TYPE[column.kind]];
  if (!column.nullable) parts.push('not null');
  // For what other tools insert, and for the rows that a table has when a column is added.
  const unset = column.type.safeParse(undefined);
  if (unset.success && unset.data !== undefined)
    parts.push(`default ${literal(storedValue(column, unset.data))}`);
  return parts.join(' ');
}

function literal(value: StoredValue): string {
  if (value === null) return 'null';
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The columns that a table has. */
export function existingColumns(db: Connection, model: RecordModel): ReadonlySet<string> {
  const rows = db.prepare('select name from pragma_table_info(?)').pluck().all(model.table);
  return new Set(rows as string[]);
}

function checkTable({ db, file }: SchemaParts, model: RecordModel): void {
  const existing = existingColumns(db, model);
  const missing = model.columns.filter(({ name }) => !existing.has(name)).map(({ name }) => name);
  if (missing.length === 0) return;
  const [first = ''] = missing;
  throw new StoreUnusable(
    file,
    `table ${model.table} has no column ${missing.join(', ')}, which record "${model.name}" has. The table was made before: add a migration, such as { 'add ${first}': { addColumns: { ${model.name}: [${missing.map((name) => `'${name}'`).join(', ')}] } } }.`,
  );
}
