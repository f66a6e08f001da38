import type { RecordModel } from './record-model.js';
import { rowOf, showRow, type StoredRecord } from './record-class.js';
import { idOf, type Row } from './row.js';

/** A record as a session knows it. */
export interface Entry {
  readonly model: RecordModel;
  readonly record: StoredRecord;
  /** What the table had when the session read it; undefined for one that the session has created. */
  readonly base: Row | undefined;
  /** Changed or deleted by the session, so that the write itself finds out whether the table still has the base. */
  written: boolean;
  deleted: boolean;
}

/** A change on its way into the store. */
export type Write =
  | { readonly kind: 'insert'; readonly entry: Entry; readonly row: Row }
  | {
      readonly kind: 'update';
      readonly entry: Entry;
      readonly row: Row;
      /** What the record showed before. */
      readonly before: Row;
      /** Positions of the columns that changed. */
      readonly columns: readonly number[];
      /** The first of the session on this record: it needs the table to have the base. */
      readonly first: boolean;
    }
  | { readonly kind: 'delete'; readonly entry: Entry; readonly first: boolean };

/**
 * What a body or a transaction has read and wants to change. Nothing of it is in the store before it is committed, all at
 * once; reads within it see its changes.
 */
export class Session {
  readonly writes: Write[] = [];
  readonly #entries = new Map<RecordModel, Map<number, Entry>>();
  #given: Entry | undefined;

  /** Begins with the record that a body is given. */
  begin(model: RecordModel, row: Row, make: (row: Row) => StoredRecord): Entry {
    this.#given = this.entry(model, row, make);
    return this.#given;
  }

  /** True when it changes or deletes others than the record that it began with. */
  get changesOthers(): boolean {
    return this.writes.some(
      ({ kind, entry }) => kind !== 'insert' && entry !== this.#given && entry.base !== undefined,
    );
  }

  get inserts(): boolean {
    return this.writes.some(({ kind }) => kind === 'insert');
  }

  /** Everything that was read or created. */
  *entries(): Iterable<Entry> {
    for (const ofModel of this.#entries.values()) yield* ofModel.values();
  }

  /** The same record for the same row, however often it is read. */
  entry(model: RecordModel, row: Row, make: (row: Row) => StoredRecord): Entry {
    const ofModel = this.#ofModel(model);
    const known = ofModel.get(idOf(row));
    if (known !== undefined) return known;
    const entry = { model, record: make(row), base: row, written: false, deleted: false };
    ofModel.set(idOf(row), entry);
    return entry;
  }

  /** The entry of a record that may come from elsewhere: it was read as it shows itself. */
  entryOf(record: StoredRecord): Entry {
    return this.entry(record.model, rowOf(record), () => record);
  }

  /** A record that was read or created, unless the session has deleted it. */
  find(model: RecordModel, id: number): StoredRecord | undefined {
    const entry = this.#entries.get(model)?.get(id);
    return entry === undefined || entry.deleted ? undefined : entry.record;
  }

  insert(model: RecordModel, record: StoredRecord): void {
    const row = rowOf(record);
    const entry = { model, record, base: undefined, written: true, deleted: false };
    this.#ofModel(model).set(idOf(row), entry);
    this.writes.push({ kind: 'insert', entry, row });
  }

  update(record: StoredRecord, row: Row, columns: readonly number[]): void {
    const entry = this.entryOf(record);
    const before = rowOf(record);
    this.writes.push({ kind: 'update', entry, row, before, columns, first: !entry.written });
    entry.written = true;
    showRow(record, row);
    // Another object for the same row may be what the session knows.
    if (entry.record !== record) showRow(entry.record, row);
  }

  remove(record: StoredRecord): void {
    const entry = this.entryOf(record);
    this.writes.push({ kind: 'delete', entry, first: !entry.written });
    entry.written = true;
    entry.deleted = true;
  }

  /** Takes back everything that came after a number of writes. */
  revertTo(mark: number): void {
    for (const write of this.writes.splice(mark).reverse()) {
      switch (write.kind) {
        case 'insert':
          this.#ofModel(write.entry.model).delete(idOf(write.row));
          break;
        case 'update':
          showRow(write.entry.record, write.before);
          if (write.first) write.entry.written = false;
          break;
        case 'delete':
          write.entry.deleted = false;
          if (write.first) write.entry.written = false;
          break;
      }
    }
  }

  #ofModel(model: RecordModel): Map<number, Entry> {
    const known = this.#entries.get(model);
    if (known !== undefined) return known;
    const made = new Map<number, Entry>();
    this.#entries.set(model, made);
    return made;
  }
}
