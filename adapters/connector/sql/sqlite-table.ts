import type { Row, Written } from '../../../src/data-flow/row.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { unpredictable } from '../written.js';
import { columnKind, SQLITE_TYPES } from './column-type.js';
import { columnsOf, lastOfEachKey } from './keyed-rows.js';
import type { SqlNames } from './sql-text.js';
import type { SqlSinkOptions } from './sql-sink-options.js';
import type { SqliteDatabase } from './sqlite.js';
import { rowWriter, type RowShape, type RowWriter } from './sqlite-row-writer.js';
import { affinity, type Affinity } from './sqlite-value.js';

type TableOptions = Pick<SqlSinkOptions, 'table' | 'key' | 'columns' | 'create'>;

/** Most sets of columns whose statements are kept. */
const MAX_WRITERS = 64;

/** Writes rows to a table of SQLite, within a transaction of the caller. */
export class SqliteTable {
  readonly #db: SqliteDatabase;
  readonly #options: TableOptions;
  readonly #names: SqlNames;
  /** By the columns that they write. */
  readonly #writers = new Map<string, RowWriter>();

  constructor(db: SqliteDatabase, options: TableOptions, names: SqlNames) {
    this.#db = db;
    this.#options = options;
    this.#names = names;
  }

  /** Writes rows, of which the last of each key counts. */
  write(rows: readonly Row[]): Written {
    if (rows.length === 0) return unpredictable(0);
    const { key } = this.#options;
    const columns = this.#options.columns ?? columnsOf(rows);
    if (key.length === 0) {
      this.#writer(columns, rows)(rows);
      return unpredictable(rows.length);
    }
    const keyed = lastOfEachKey(rows, key);
    const written = this.#writer(columns, keyed.rows)(keyed.rows);
    return {
      ...written,
      updated: written.updated + keyed.updated,
      redundant: written.redundant + keyed.redundant,
    };
  }

  #writer(columns: readonly string[], rows: readonly Row[]): RowWriter {
    const id = columns.join('\0');
    const known = this.#writers.get(id);
    if (known !== undefined) return known;
    const types = this.#types(columns, rows);
    const { table, key } = this.#options;
    const shape: RowShape = {
      table: this.#names.table(table),
      names: this.#names,
      key,
      columns,
      affinities: columns.map((name) => types.get(name) ?? 'numeric'),
    };
    const writer = rowWriter(this.#db, shape, this.#hasRowIds());
    // Rows that all look different would otherwise keep a statement each.
    if (this.#writers.size >= MAX_WRITERS) this.#writers.clear();
    this.#writers.set(id, writer);
    return writer;
  }

  #types(columns: readonly string[], rows: readonly Row[]): ReadonlyMap<string, Affinity> {
    if (this.#tableColumns().size === 0) this.#create(columns, rows);
    return this.#tableColumns();
  }

  #tableColumns(): ReadonlyMap<string, Affinity> {
    const [name, schema] = this.#options.table.split('.').reverse();
    const columns = this.#db
      .prepare('SELECT name, type FROM pragma_table_info(?, ?)')
      .all(name, schema ?? 'main') as readonly { readonly name: string; readonly type: string }[];
    return new Map(columns.map((column) => [column.name, affinity(column.type)]));
  }

  /** Not so for tables that are declared WITHOUT ROWID, and for views and virtual tables. */
  #hasRowIds(): boolean {
    const [name, schema] = this.#options.table.split('.').reverse();
    const found = this.#db
      .prepare("SELECT 1 FROM pragma_table_list(?) WHERE schema = ? AND type = 'table' AND wr = 0")
      .get(name, schema ?? 'main');
    return found !== undefined;
  }

  #create(columns: readonly string[], rows: readonly Row[]): void {
    const { table, key, create } = this.#options;
    if (!create) {
      throw permanent(
        `Table ${table} does not exist in ${this.#db.name}. Create it, or set \`create: true\`.`,
        { table },
        'TableNotFound',
      );
    }
    const { column, table: quoted } = this.#names;
    const parts = columns.map((name) => {
      const required = key.includes(name) ? ' NOT NULL' : '';
      return `${column(name)} ${SQLITE_TYPES[columnKind(rows, name)]}${required}`;
    });
    if (key.length > 0) parts.push(`PRIMARY KEY (${key.map(column).join(', ')})`);
    this.#db.exec(`CREATE TABLE ${quoted(table)} (${parts.join(', ')})`);
  }
}
