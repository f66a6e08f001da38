import type { RecordModel } from './record-model.js';
import { rowOf, showRow, type StoredRecord } from './record-class.js';
import { idOf, isSameRow, type Row } from './row.js';

/** A record as a session knows it. */
export interface Entry {
  readonly model: RecordModel;
  readonly record: StoredRecord;
  /** Other objects of the same record, which come from before the session. */
  others: readonly StoredRecord[];
  /** What the table had when the session read it; undefined for one that the session has created. */
  readonly base: Row | undefined;
  /** Changed or deleted by the session, so that the write itself finds out whether the table still has the base. */
  written: boolean;
  deleted: boolean;
}

/** Hardly any record has others. */
const NONE: readonly StoredRecord[] = [];

/** A change on its way into the store. */
export type Write = (
  | { readonly kind: 'insert'; readonly row: Row }
  | {
      readonly kind: 'update';
      readonly row: Row;
      /** Positions of the columns that changed. */
      readonly columns: readonly number[];
      /** The first of the session on this record: it needs the table to have the base. */
      readonly first: boolean;
    }
  | { readonly kind: 'delete'; readonly first: boolean }
) & { readonly entry: Entry; readonly by: Session };

/** What a session has in common with those within it. */
interface Changes {
  readonly entries: Map<RecordModel, Map<number, Entry>>;
  writes: Write[];
  given: Entry | undefined;
}

/**
 * What a body or a transaction has read and wants to change. Nothing of it is in the store before it is committed, all at
 * once; reads within it see its changes.
 */
export class Session {
  readonly #changes: Changes;
  readonly #outer: Session | undefined;

  constructor(outer?: Session) {
    this.#outer = outer;
    this.#changes =
      outer === undefined ? { entries: new Map(), writes: [], given: undefined } : outer.#changes;
  }

  get writes(): readonly Write[] {
    return this.#changes.writes;
  }

  /** Begins with the record that a body is given. */
  begin(model: RecordModel, row: Row, make: (row: Row) => StoredRecord): Entry {
    const given = this.entry(model, row, make, row);
    this.#changes.given = given;
    return given;
  }

  /** True when it changes or deletes others than the record that it began with. */
  get changesOthers(): boolean {
    const { given } = this.#changes;
    return this.writes.some(
      ({ kind, entry }) => kind !== 'insert' && entry !== given && entry.base !== undefined,
    );
  }

  /** Everything that was read or created. */
  *entries(): Iterable<Entry> {
    for (const ofModel of this.#changes.entries.values()) yield* ofModel.values();
  }

  /** True for a record that was read or created. */
  knows(model: RecordModel, id: number): boolean {
    return this.#changes.entries.get(model)?.has(id) ?? false;
  }

  /**
   * The same record for the same row, however often it is read.
   *
   * @param base - what the table has: not the row, where something has changed it by what the session has written
   */
  entry(
    model: RecordModel,
    row: Row,
    make: (row: Row) => StoredRecord,
    base: Row | undefined,
  ): Entry {
    const ofModel = this.#ofModel(model);
    const known = ofModel.get(idOf(row));
    if (known !== undefined) return known;
    const entry: Entry = {
      model,
      record: make(row),
      others: NONE,
      base,
      written: false,
      deleted: false,
    };
    ofModel.set(idOf(row), entry);
    return entry;
  }

  /**
   * The entry of a record that may come from elsewhere: it was read as it shows itself.
   *
   * @returns undefined for one that shows something else than the session has read
   */
  entryOf(record: StoredRecord): Entry | undefined {
    const shown = rowOf(record);
    const entry = this.entry(record.model, shown, () => record, shown);
    if (entry.record === record || entry.others.includes(record)) return entry;
    const isKnown =
      (entry.base !== undefined && isSameRow(shown, entry.base)) ||
      isSameRow(shown, rowOf(entry.record));
    if (!isKnown) return undefined;
    entry.others = [...entry.others, record];
    showRow(record, rowOf(entry.record));
    return entry;
  }

  /** A record that was read or created, unless the session has deleted it. */
  find(model: RecordModel, id: number): StoredRecord | undefined {
    const entry = this.#changes.entries.get(model)?.get(id);
    return entry === undefined || entry.deleted ? undefined : entry.record;
  }

  insert(record: StoredRecord): void {
    const { model } = record;
    const row = rowOf(record);
    const entry: Entry = {
      model,
      record,
      others: NONE,
      base: undefined,
      written: true,
      deleted: false,
    };
    this.#ofModel(model).set(idOf(row), entry);
    this.#changes.writes.push({ kind: 'insert', entry, row, by: this });
  }

  update(entry: Entry, row: Row, columns: readonly number[]): void {
    this.#update(entry, row, columns, this);
  }

  remove(entry: Entry): void {
    this.#remove(entry, this);
  }

  /** Takes back everything that was changed in it, and in those within it; what others have changed meanwhile stays. */
  undo(): void {
    const { writes } = this.#changes;
    const taken = writes.filter(({ by }) => by.#isWithin(this));
    if (taken.length === 0) return;
    const entries = new Set(taken.map(({ entry }) => entry));
    for (const entry of entries) this.#reset(entry);
    for (const { kind, entry } of taken) if (kind === 'insert') this.#forget(entry);
    const left = writes.filter(({ by }) => !by.#isWithin(this));
    this.#changes.writes = [];
    for (const write of left) this.#again(write, entries.has(write.entry));
  }

  #update(entry: Entry, row: Row, columns: readonly number[], by: Session): void {
    const first = !entry.written;
    this.#changes.writes.push({ kind: 'update', entry, row, columns, first, by });
    entry.written = true;
    show(entry, row);
  }

  #remove(entry: Entry, by: Session): void {
    this.#changes.writes.push({ kind: 'delete', entry, first: !entry.written, by });
    entry.written = true;
    entry.deleted = true;
  }

  /** Puts a change that stays after others on the same record were taken back. */
  #again(write: Write, isTouched: boolean): void {
    const { entry, by } = write;
    if (!isTouched) this.#changes.writes.push(write);
    // A record that is none any more cannot be changed.
    else if (this.#changes.entries.get(entry.model)?.get(entry.record.id) !== entry) return;
    else if (write.kind === 'insert') this.#changes.writes.push(write);
    else if (write.kind === 'delete') this.#remove(entry, by);
    else {
      const row = [...rowOf(entry.record)];
      for (const at of write.columns) row[at] = write.row[at] ?? null;
      this.#update(entry, row, write.columns, by);
    }
  }

  /** As it was before the session had changed it. */
  #reset(entry: Entry): void {
    const created = this.writes.find((write) => write.kind === 'insert' && write.entry === entry);
    const row = entry.base ?? (created?.kind === 'insert' ? created.row : undefined);
    if (row !== undefined) show(entry, row);
    entry.written = entry.base === undefined;
    entry.deleted = false;
  }

  #forget({ model, record }: Entry): void {
    this.#ofModel(model).delete(record.id);
  }

  #isWithin(session: Session): boolean {
    return this === session || (this.#outer !== undefined && this.#outer.#isWithin(session));
  }

  #ofModel(model: RecordModel): Map<number, Entry> {
    const known = this.#changes.entries.get(model);
    if (known !== undefined) return known;
    const made = new Map<number, Entry>();
    this.#changes.entries.set(model, made);
    return made;
  }
}

function show({ record, others }: Entry, row: Row): void {
  showRow(record, row);
  for (const other of others) showRow(other, row);
}
