import { RowsRefused, type RefusedRow } from '../../../src/data-flow/refusal.js';
import type { Row, Written } from '../../../src/data-flow/row.js';
import { permanent } from '../../../src/pipeline/permanent.js';
import { unpredictable } from '../written.js';
import { columnKind, SQLITE_TYPES } from './column-type.js';
import { groupsOf, lastOfEachKey, type RowGroup } from './keyed-rows.js';
import { rowFault, type RowFault } from './sql-error.js';
import type { SqlNames } from './sql-text.js';
import type { SqlSinkOptions } from './sql-sink-options.js';
import type { SqliteDatabase } from './sqlite.js';
import { rowWriter, type RowShape, type RowWriter } from './sqlite-row-writer.js';
import { affinity, type Affinity } from './sqlite-value.js';

type TableOptions = Pick<SqlSinkOptions, 'table' | 'key' | 'columns' | 'create' | 'insert'>;

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
    try {
      return this.#write(rows);
    } catch (error) {
      // They may know a table, or columns of it, that are undone with the transaction.
      this.#writers.clear();
      throw error;
    }
  }

  /**
   * Writes rows one after the other, to find those that are at fault: SQLite undoes the statement that fails, and no other.
   *
   * @param refusalsLeft - see {@link SinkBatch.refusalsLeft}
   * @throws {@link RowsRefused} when there are some; the caller undoes the others
   */
  writeEach(rows: readonly Row[], refusalsLeft: number): Written {
    const refused: RefusedRow[] = [];
    let all = unpredictable(0);
    for (const [at, row] of rows.entries()) {
      const written = this.#tryWriting(row, rows);
      if ('reason' in written) refused.push({ at, reason: written.reason });
      else all = sum(all, written);
      if (refused.length > refusalsLeft) break;
    }
    if (refused.length === 0) return all;
    this.#writers.clear();
    throw new RowsRefused(refused);
  }

  /** @param rows - the whole batch */
  #tryWriting(row: Row, rows: readonly Row[]): Written | RowFault {
    try {
      const [group] = this.#groups([row]);
      return group === undefined ? unpredictable(0) : this.#writer(group, rows)(group.rows);
    } catch (error) {
      const fault = rowFault(error);
      // A trigger or a constraint may undo the whole transaction, and with it what was written before.
      if (fault !== undefined && this.#db.inTransaction) return fault;
      this.#writers.clear();
      throw error;
    }
  }

  #write(rows: readonly Row[]): Written {
    const { key, columns } = this.#options;
    if (key.length === 0) {
      for (const group of this.#groups(rows)) this.#writer(group, rows)(group.rows);
      return unpredictable(rows.length);
    }
    const keyed = lastOfEachKey(rows, key, columns === undefined);
    let { updated, redundant } = keyed;
    let added = 0;
    for (const group of this.#groups(keyed.rows)) {
      const written = this.#writer(group, keyed.rows)(group.rows);
      added += written.new;
      updated += written.updated;
      redundant += written.redundant;
    }
    return { new: added, updated, redundant, unpredictable: 0 };
  }

  #groups(rows: readonly Row[]): readonly RowGroup[] {
    const { columns } = this.#options;
    return columns === undefined ? groupsOf(rows) : [{ columns, rows }];
  }

  /** @param rows - the whole batch */
  #writer({ columns }: RowGroup, rows: readonly Row[]): RowWriter {
    const id = columns.join('\0');
    const known = this.#writers.get(id);
    if (known !== undefined) return known;
    const types = this.#types(columns, rows);
    const { table, key, insert } = this.#options;
    const shape: RowShape = {
      table: this.#names.table(table),
      names: this.#names,
      key,
      inserts: insert,
      columns,
      affinities: columns.map((name) => types.get(name.toLowerCase()) ?? 'numeric'),
    };
    const writer = rowWriter(this.#db, shape, this.#hasRowIds());
    // Rows that all look different would otherwise keep a statement each.
    if (this.#writers.size >= MAX_WRITERS) this.#writers.clear();
    this.#writers.set(id, writer);
    return writer;
  }

  #types(columns: readonly string[], rows: readonly Row[]): ReadonlyMap<string, Affinity> {
    const types = this.#tableColumns();
    if (types.size === 0) this.#create(columns, rows);
    else if (!this.#options.create || !this.#addMissing(types, columns, rows)) return types;
    return this.#tableColumns();
  }

  /** @returns whether there were some */
  #addMissing(
    types: ReadonlyMap<string, Affinity>,
    columns: readonly string[],
    rows: readonly Row[],
  ): boolean {
    const { table, key } = this.#options;
    const { column, table: quoted } = this.#names;
    // A table without the column of its key is not this one.
    const missing = columns.filter((name) => !types.has(name.toLowerCase()) && !key.includes(name));
    for (const name of missing) {
      const type = SQLITE_TYPES[columnKind(rows, name, false)];
      this.#db.exec(`ALTER TABLE ${quoted(table)} ADD COLUMN ${column(name)} ${type}`);
    }
    return missing.length > 0;
  }

  /** By their names in small letters, as SQLite does not tell them apart. */
  #tableColumns(): ReadonlyMap<string, Affinity> {
    const [table, schema] = this.#options.table.split('.').reverse();
    const columns = this.#db
      .prepare('SELECT name, type FROM pragma_table_info(?, ?)')
      .all(table, schema ?? 'main') as readonly { readonly name: string; readonly type: string }[];
    return new Map(columns.map(({ name, type }) => [name.toLowerCase(), affinity(type)]));
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
      const isKey = key.includes(name);
      const type = SQLITE_TYPES[columnKind(rows, name, isKey)];
      return `${column(name)} ${type}${isKey ? ' NOT NULL' : ''}`;
    });
    if (key.length > 0) parts.push(`PRIMARY KEY (${key.map(column).join(', ')})`);
    this.#db.exec(`CREATE TABLE ${quoted(table)} (${parts.join(', ')})`);
  }
}

function sum(a: Written, b: Written): Written {
  return {
    new: a.new + b.new,
    updated: a.updated + b.updated,
    redundant: a.redundant + b.redundant,
    unpredictable: a.unpredictable + b.unpredictable,
  };
}
