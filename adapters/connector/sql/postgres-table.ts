import type { Client } from 'pg';
import type { Row, Written } from '../../../src/data-flow/row.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { unpredictable } from '../written.js';
import { columnKind, POSTGRES_TYPES } from './column-type.js';
import { groupsOf, lastOfEachKey, type RowGroup } from './keyed-rows.js';
import { postgresJson } from './postgres-json.js';
import { sqlCode } from './sql-error.js';
import type { SqlNames } from './sql-text.js';
import type { SqlSinkOptions } from './sql-sink-options.js';

/** Types without an equality: they are compared as text. */
const INCOMPARABLE = /^(json|xml|point|line|lseg|box|path|polygon|circle)(\[\])?$/;

/** Most sets of columns whose statements are kept. */
const MAX_STATEMENTS = 64;

/**
 * SQLSTATE of what another writer has created at the same time: `unique_violation`, `duplicate_table`, `duplicate_column`, and
 * `duplicate_object` of a table's row type.
 */
const CREATED_MEANWHILE: readonly string[] = ['23505', '42P07', '42701', '42710'];

/** A batch that can be written. */
export interface PreparedRows {
  /** How many there were. */
  readonly total: number;
  readonly groups: readonly RowGroup[];
  /** See {@link KeyedRows}. */
  readonly updated: number;
  readonly redundant: number;
}

/**
 * Writes rows to a table of PostgreSQL, within a transaction of the caller. The rows of a batch are one parameter, a JSON text, of
 * which PostgreSQL makes the types of the table: one statement does for any number of rows.
 */
export class PostgresTable {
  readonly #client: Client;
  readonly #options: SqlSinkOptions;
  readonly #names: SqlNames;
  /** Types of the columns by their names; undefined until the first batch. */
  #types: ReadonlyMap<string, string> | undefined;
  /** By the columns that they write. */
  readonly #statements = new Map<string, string>();

  constructor(client: Client, options: SqlSinkOptions, names: SqlNames) {
    this.#client = client;
    this.#options = options;
    this.#names = names;
  }

  /** Sorts the rows, and creates the table and its columns where that is wanted, outside of the transaction of the rows. */
  async prepare(rows: readonly Row[]): Promise<PreparedRows> {
    const prepared = this.#sorted(rows);
    if (this.#types === undefined && rows.length > 0) {
      this.#types = await this.#columnTypes();
      if (this.#types.size === 0) {
        await this.#create(prepared);
        this.#types = await this.#columnTypes();
      }
    }
    if (this.#options.create) await this.#addMissing(prepared);
    return prepared;
  }

  /** Writes some rows of a batch that was prepared. */
  async writeSome(rows: readonly Row[]): Promise<void> {
    await this.write(this.#sorted(rows));
  }

  /** Writes rows, of which the last of each key counts. */
  async write({ total, groups, updated, redundant }: PreparedRows): Promise<Written> {
    if (this.#options.key.length === 0) {
      for (const { columns, rows } of groups)
        await this.#client.query(this.#statement(columns), [postgresJson(rows)]);
      return unpredictable(total);
    }
    const all = { new: 0, updated, redundant, unpredictable: 0 };
    for (const { columns, rows } of groups) {
      const result = await this.#client.query<{ present: number; written: number }>(
        this.#statement(columns),
        [postgresJson(rows)],
      );
      const { present, written } = result.rows[0] ?? { present: 0, written: 0 };
      const added = rows.length - present;
      all.new += added;
      all.updated += written - added;
      all.redundant += rows.length - written;
    }
    return all;
  }

  #sorted(rows: readonly Row[]): PreparedRows {
    const { key, columns } = this.#options;
    const keyed =
      key.length === 0
        ? { rows, updated: 0, redundant: 0 }
        : lastOfEachKey(rows, key, columns === undefined);
    const some = columns === undefined || keyed.rows.length === 0;
    const groups = some ? groupsOf(keyed.rows) : [{ columns, rows: keyed.rows }];
    return { total: rows.length, groups, updated: keyed.updated, redundant: keyed.redundant };
  }

  #statement(columns: readonly string[]): string {
    const id = columns.join('\0');
    const known = this.#statements.get(id);
    if (known !== undefined) return known;
    const text = this.#statementText(columns);
    // Rows that all look different would otherwise keep a statement each.
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    this.#statements.set(id, text);
    return text;
  }

  #statementText(columns: readonly string[]): string {
    const { key, insert } = this.#options;
    if (key.length === 0) return this.#insert(columns);
    return insert ? this.#upsert(columns) : this.#update(columns);
  }

  #insert(columns: readonly string[]): string {
    const { table, list } = this.#quoted(columns);
    return `INSERT INTO ${table} (${list}) SELECT ${list} FROM json_populate_recordset(NULL::${table}, $1::json)`;
  }

  /** All parts see the table as it was before the statement. Rows that have the same values already are not written again. */
  #upsert(columns: readonly string[]): string {
    const { key } = this.#options;
    const { table, list } = this.#quoted(columns);
    const { column } = this.#names;
    const others = columns.filter((name) => !key.includes(name));
    const set = others.map((name) => `${column(name)} = excluded.${column(name)}`).join(', ');
    const differs = others.map((name) => this.#differs(name)).join(' OR ');
    const action = others.length === 0 ? 'NOTHING' : `UPDATE SET ${set} WHERE ${differs}`;
    const same = key.map((name) => `t.${column(name)} = i.${column(name)}`).join(' AND ');
    return `
      WITH incoming AS (
        SELECT ${list} FROM json_populate_recordset(NULL::${table}, $1::json)
      ), present AS (
        SELECT count(*)::int AS n FROM incoming AS i
        WHERE EXISTS (SELECT FROM ${table} AS t WHERE ${same})
      ), written AS (
        INSERT INTO ${table} AS t (${list}) SELECT ${list} FROM incoming
        ON CONFLICT (${key.map(column).join(', ')}) DO ${action}
        RETURNING 1
      )
      SELECT (SELECT n FROM present) AS present, (SELECT count(*)::int FROM written) AS written`;
  }

  /** Rows that are not there are told as present, so that none counts as new. */
  #update(columns: readonly string[]): string {
    const { key } = this.#options;
    const { table, list } = this.#quoted(columns);
    const { column } = this.#names;
    const others = columns.filter((name) => !key.includes(name));
    const all = 'SELECT count(*)::int FROM incoming';
    const incoming = `WITH incoming AS (
        SELECT ${list} FROM json_populate_recordset(NULL::${table}, $1::json)
      )`;
    if (others.length === 0) return `${incoming} SELECT (${all}) AS present, 0 AS written`;
    const set = others.map((name) => `${column(name)} = i.${column(name)}`).join(', ');
    const differs = others.map((name) => this.#differs(name, 'i')).join(' OR ');
    const same = key.map((name) => `t.${column(name)} = i.${column(name)}`).join(' AND ');
    return `
      ${incoming}, written AS (
        UPDATE ${table} AS t SET ${set} FROM incoming AS i WHERE ${same} AND (${differs})
        RETURNING 1
      )
      SELECT (${all}) AS present, (SELECT count(*)::int FROM written) AS written`;
  }

  #differs(name: string, from = 'excluded'): string {
    const column = this.#names.column(name);
    const cast = INCOMPARABLE.test(this.#types?.get(name) ?? '') ? '::text' : '';
    return `t.${column}${cast} IS DISTINCT FROM ${from}.${column}${cast}`;
  }

  #quoted(columns: readonly string[]): { readonly table: string; readonly list: string } {
    const { table, column } = this.#names;
    return { table: table(this.#options.table), list: columns.map(column).join(', ') };
  }

  async #columnTypes(): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#client.query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
       WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
      [this.#names.table(this.#options.table)],
    );
    return new Map(rows.map(({ name, type }) => [name, type]));
  }

  async #create({ groups }: PreparedRows): Promise<void> {
    const { table, key, create } = this.#options;
    if (!create) {
      throw permanent(
        `Table ${table} does not exist. Create it, or set \`create: true\`.`,
        { table },
        'TableNotFound',
      );
    }
    const { column } = this.#names;
    const parts = allColumns(groups).map((name) => {
      const kind = columnKind(allRows(groups), name, key.includes(name));
      return `${column(name)} ${POSTGRES_TYPES[kind]}`;
    });
    if (key.length > 0) parts.push(`PRIMARY KEY (${key.map(column).join(', ')})`);
    await createOnce(
      this.#client,
      `CREATE TABLE IF NOT EXISTS ${this.#names.table(table)} (${parts.join(', ')})`,
    );
  }

  async #addMissing({ groups }: PreparedRows): Promise<void> {
    const { table, key } = this.#options;
    // A table without the column of its key is not this one.
    const missing = allColumns(groups).filter(
      (name) => this.#types?.has(name) !== true && !key.includes(name),
    );
    if (missing.length === 0) return;
    const rows = allRows(groups);
    const parts = missing.map((name) => {
      const type = POSTGRES_TYPES[columnKind(rows, name, false)];
      return `ADD COLUMN IF NOT EXISTS ${this.#names.column(name)} ${type}`;
    });
    await createOnce(this.#client, `ALTER TABLE ${this.#names.table(table)} ${parts.join(', ')}`);
    this.#types = await this.#columnTypes();
  }
}

function allColumns(groups: readonly RowGroup[]): readonly string[] {
  return [...new Set(groups.flatMap(({ columns }) => columns))];
}

function allRows(groups: readonly RowGroup[]): readonly Row[] {
  return groups.flatMap(({ rows }) => rows);
}

/** `IF NOT EXISTS` does not help against another session that creates the same table at the same time. */
export async function createOnce(client: Client, statement: string): Promise<void> {
  try {
    await client.query(statement);
  } catch (error) {
    if (!CREATED_MEANWHILE.includes(sqlCode(error) ?? '')) throw error;
  }
}
