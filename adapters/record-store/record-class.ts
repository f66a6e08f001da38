import { inspect } from 'node:util';
import { shownValue } from '../../src/record-store/column.js';
import type { RecordModel } from './record-model.js';
import { idOf, type Row } from './row.js';

/** Where records come from, and what their changes and links go through. */
export interface RecordHost {
  readonly update: (record: StoredRecord, values: Readonly<Record<string, unknown>>) => void;
  readonly remove: (record: StoredRecord) => void;
  readonly many: (record: StoredRecord, to: string, foreignKey: string) => unknown;
  readonly one: (to: string, id: number) => unknown;
}

/** Where a record keeps its row: a symbol, so that no column can be in the way. */
const ROW = Symbol('row');

/** A record: a row with the names, the methods and the links of its model. */
export abstract class StoredRecord {
  readonly #host: RecordHost;
  [ROW]: Row;

  constructor(host: RecordHost, row: Row) {
    this.#host = host;
    this[ROW] = row;
  }

  abstract get model(): RecordModel;

  get id(): number {
    return idOf(this[ROW]);
  }

  update(values: Readonly<Record<string, unknown>>): this {
    this.#host.update(this, values);
    return this;
  }

  delete(): void {
    this.#host.remove(this);
  }

  toJSON(): Readonly<Record<string, unknown>> {
    return { id: this.id, ...valuesOf(this.model, this[ROW]) };
  }

  [inspect.custom](): unknown {
    return this.toJSON();
  }
}

/** A record's row, as it is shown. */
export function rowOf(record: StoredRecord): Row {
  return record[ROW];
}

/** Has a record show another row. */
export function showRow(record: StoredRecord, row: Row): void {
  record[ROW] = row;
}

/** The columns of a row as a record shows them. */
export function valuesOf(model: RecordModel, row: Row): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    model.columns.map((column, at) => [column.name, shownValue(column, row[at + 1] ?? null)]),
  );
}

/** Makes a record of a row. */
export type RecordMaker = (row: Row) => StoredRecord;

/** The class of a model's records: columns and links are properties, methods are methods. */
export function recordMaker(model: RecordModel, host: RecordHost): RecordMaker {
  class ModelRecord extends StoredRecord {
    override get model(): RecordModel {
      return model;
    }
  }
  const { prototype } = ModelRecord;
  Object.defineProperty(ModelRecord, 'name', { value: model.name });
  const property = (name: string, get: (record: StoredRecord) => unknown): void => {
    Object.defineProperty(prototype, name, {
      enumerable: true,
      configurable: true,
      get(this: StoredRecord) {
        return get(this);
      },
    });
  };
  for (const [at, column] of model.columns.entries())
    property(column.name, (record) => shownValue(column, record[ROW][at + 1] ?? null));
  for (const [name, { record: to, foreignKey }] of Object.entries(model.hasMany))
    property(name, (record) => host.many(record, to, foreignKey));
  for (const [name, { record: to, foreignKey }] of Object.entries(model.belongsTo)) {
    const position = model.position.get(foreignKey) ?? 0;
    property(name, (record) => {
      const id = record[ROW][position] ?? null;
      return id === null ? undefined : host.one(to, Number(id));
    });
  }
  // Getters among the methods stay getters.
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(model.methods));
  return (row) => new ModelRecord(host, row);
}
