import { ulid } from 'ulid';
import { StoreUnusable } from '../../src/record-store/errors.js';
import type { Connection } from './connection.js';

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

/** Most tables that are named of a database that is none of a store's. */
const TABLES_NAMED = 3;

/**
 * The form of what is in a database; 0 for a new one.
 *
 * @throws {@link StoreUnusable} for a database that is none of a store's, or of a later form
 */
export function formatOf(db: Connection, file: string): number {
  const format = Number(db.pragma('user_version', { simple: true }));
  const tables = db
    .prepare("select name from sqlite_schema where type = 'table' and name not glob 'sqlite_*'")
    .pluck()
    .all() as string[];
  if (tables.length === 0) return 0;
  if (!tables.includes('millrace_store'))
    throw new StoreUnusable(
      file,
      `is a database of something else: it has the ${tables.length === 1 ? 'table' : 'tables'} ${tables.slice(0, TABLES_NAMED).join(', ')}${tables.length > TABLES_NAMED ? ', …' : ''}. It is left as it is; give the store another dir.`,
    );
  if (format > FORMAT)
    throw new StoreUnusable(
      file,
      `was written by a newer Millrace (format ${String(format)}; this one knows ${String(FORMAT)}). Update Millrace where this runs.`,
    );
  return FORMAT;
}

/** Makes what a store needs beside its records. */
export function createOwnTables(db: Connection, now: Date): void {
  db.exec(OWN_TABLES);
  db.prepare('insert into millrace_store (id, created_at) values (?, ?)').run(
    ulid(now.getTime()),
    now.toISOString(),
  );
  db.pragma(`user_version = ${String(FORMAT)}`);
}

/** A database that was a version is one no more. */
export function forgetVersion(db: Connection): void {
  db.exec('drop table if exists millrace_version');
}
