import { createHash } from 'node:crypto';
import { storedValue, type Column, type StoredValue } from '../../src/record-store/column.js';
import { MigrationChanged, StoreUnusable } from '../../src/record-store/errors.js';
import type { Migration, Migrations } from '../../src/record-store/migration.js';
import { ulid } from 'ulid';
import { errorMessage } from '../error-parts.js';
import type { Connection } from './connection.js';
import type { RecordModel, RecordModels } from './record-model.js';

/** The form of what is in a store beside its records. A store of a later form is not touched. */
const FORMAT = 1;

/** What the store itself needs. Its names begin with `millrace_`, so that no record's table can have one. */
const OWN_TABLES = `
  create table millrace_store (
    id text not null,
    created_at text not null
  ) strict;
  create table millrace_migrations (
    name text primary key,
    checksum text not null,
    ran_at text not null
  ) strict;
  create table millrace_ids (
    name text primary key,
    next integer not null
  ) strict;
  create table millrace_runs (
    id text primary key,
    pipeline text not null,
    workflow_id text not null,
    epoch integer not null,
    status text not null,
    started_at text not null,
    seen_at text not null,
    ended_at text,
    completed integer not null default 0,
    failed integer not null default 0
  ) strict;
  create unique index millrace_active_run on millrace_runs ((1)) where ended_at is null;
  create table millrace_failures (
    run text not null,
    step text not null,
    record_type text not null,
    record_id integer not null,
    name text not null,
    message text not null,
    stack text,
    at text not null,
    primary key (run, step, record_id)
  ) strict, without rowid;
  create table millrace_passes (
    run text not null,
    step text not null,
    record_id integer not null,
    passes integer not null,
    primary key (run, step, record_id)
  ) strict, without rowid;
`;

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
 * @throws {@link StoreUnusable} for tables that are not as the code says, {@link MigrationChanged}
 */
export function prepareSchema(parts: SchemaParts, now: Date): void {
  const { db, file, models, migrations } = parts;
  const format = Number(db.pragma('user_version', { simple: true }));
  if (format > FORMAT)
    throw new StoreUnusable(
      file,
      `was written by a newer Millrace (format ${String(format)}; this one knows ${String(FORMAT)}). Update Millrace where this runs.`,
    );
  const steps = [
    ...[...models.values()].map((model) => tableStep(parts, model)),
    ...Object.entries(migrations).map(([name, migration]) => migrationStep(parts, name, migration)),
  ];
  db.transaction(() => {
    if (format === 0) {
      db.exec(OWN_TABLES);
      db.prepare('insert into millrace_store (id, created_at) values (?, ?)').run(
        ulid(now.getTime()),
        now.toISOString(),
      );
      db.pragma(`user_version = ${String(FORMAT)}`);
    }
    run(parts, steps, now);
    for (const model of models.values()) checkTable(parts, model);
  }).immediate();
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
