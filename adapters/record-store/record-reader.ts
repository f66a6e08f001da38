import type { Connection, RowStatement } from './connection.js';
import type { RecordModel, RecordModels } from './record-model.js';
import { recordMaker, type RecordHost, type RecordMaker } from './record-class.js';
import type { Row } from './row.js';
import { existingColumns } from './schema.js';
import {
  selectCount,
  selectIds,
  selectRows,
  type CompiledSelect,
  type Selection,
} from './select.js';

/** Most queries that stay prepared. */
const MAX_STATEMENTS = 500;

/** Reads rows of a database, and makes records of them. */
export class RecordReader {
  readonly #statements = new Map<string, RowStatement>();
  readonly #columns = new Map<RecordModel, ReadonlySet<string>>();
  readonly #makers: ReadonlyMap<RecordModel, RecordMaker>;

  constructor(
    readonly db: Connection,
    readonly models: RecordModels,
    host: RecordHost,
  ) {
    this.#makers = new Map([...models.values()].map((model) => [model, recordMaker(model, host)]));
  }

  rows(model: RecordModel, selection: Selection): readonly Row[] {
    const { sql, parameters } = this.compile(model, selection);
    return this.prepare(sql).all(...parameters);
  }

  count(model: RecordModel, selection: Selection): number {
    const { sql, parameters } = selectCount(model, selection);
    return Number(this.prepare(sql).get(...parameters)?.[0]);
  }

  ids(model: RecordModel, selection: Selection): readonly number[] {
    const { sql, parameters } = selectIds(model, selection);
    return this.prepare(sql)
      .all(...parameters)
      .map(([id]) => Number(id));
  }

  /** The statement that reads whole rows. */
  compile(model: RecordModel, selection: Selection): CompiledSelect {
    return selectRows(model, selection, this.#existing(model));
  }

  /** Statements give rows as arrays. */
  prepare(sql: string): RowStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql).raw() as RowStatement;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }

  maker(model: RecordModel): RecordMaker {
    const maker = this.#makers.get(model);
    if (maker === undefined) throw new Error(`no record type ${model.name}`);
    return maker;
  }

  #existing(model: RecordModel): ReadonlySet<string> {
    const known = this.#columns.get(model);
    if (known !== undefined) return known;
    const found = existingColumns(this.db, model);
    this.#columns.set(model, found);
    return found;
  }
}
