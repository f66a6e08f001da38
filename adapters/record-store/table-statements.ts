import type { Row } from './row.js';
import type { Connection, Statement } from './connection.js';
import type { RecordModel } from './record-model.js';

/** Most kinds of updates that stay prepared: one for each set of columns that bodies change together. */
const MAX_UPDATES = 200;

/** What changes rows of one table. */
export class TableStatements {
  readonly #db: Connection;
  readonly #model: RecordModel;
  readonly #insert: Statement;
  readonly #delete: Statement;
  readonly #deleteSame: Statement;
  readonly #same: Statement;
  readonly #updates = new Map<string, { readonly any: Statement; readonly same: Statement }>();

  constructor(db: Connection, model: RecordModel) {
    this.#db = db;
    this.#model = model;
    const names = ['id', ...model.columns.map(({ name }) => name)].map((name) => `"${name}"`);
    const table = `"${model.table}"`;
    this.#insert = db.prepare(
      `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
    );
    this.#delete = db.prepare(`delete from ${table} where "id" = ?`);
    this.#deleteSame = db.prepare(`delete from ${table} where ${this.#isSame()}`);
    this.#same = db.prepare(`select 1 from ${table} where ${this.#isSame()}`).pluck();
  }

  insert(row: Row): void {
    this.#insert.run(...row);
  }

  /** True while the table has exactly this row. */
  hasSame(row: Row): boolean {
    return this.#same.get(...row) !== undefined;
  }

  /**
   * @param columns - positions of those that changed
   * @param base - what the table has to have for it; undefined: whatever it has
   * @returns false when it has something else
   */
  update(row: Row, columns: readonly number[], base: Row | undefined): boolean {
    const { any, same } = this.#update(columns);
    const values = columns.map((at) => row[at] ?? null);
    const { changes } =
      base === undefined ? any.run(...values, row[0]) : same.run(...values, ...base);
    return changes === 1;
  }

  /** @returns false when the table has something else than the base */
  remove(row: Row, base: Row | undefined): boolean {
    const { changes } =
      base === undefined ? this.#delete.run(row[0]) : this.#deleteSame.run(...base);
    return changes === 1;
  }

  #update(columns: readonly number[]): { readonly any: Statement; readonly same: Statement } {
    const key = columns.join();
    const known = this.#updates.get(key);
    if (known !== undefined) return known;
    const set = columns.map((at) => `"${this.#model.columns[at - 1]?.name ?? ''}" = ?`).join(', ');
    const head = `update "${this.#model.table}" set ${set} where`;
    const made = {
      any: this.#db.prepare(`${head} "id" = ?`),
      same: this.#db.prepare(`${head} ${this.#isSame()}`),
    };
    if (this.#updates.size >= MAX_UPDATES) this.#updates.clear();
    this.#updates.set(key, made);
    return made;
  }

  /** The row itself tells whether it has changed, so that a change by another tool is seen as well as one of ours. */
  #isSame(): string {
    const columns = this.#model.columns.map(({ name, kind }) =>
      kind === 'bigint' ? `"${name}" is cast(? as integer)` : `"${name}" is ?`,
    );
    return ['"id" = ?', ...columns].join(' and ');
  }
}
