import type { RecordModel } from './record-model.js';
import { rowOf, showRow, type StoredRecord } from './record-class.js';
import type { ReadState } from './read-state.js';
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
  /** The record that a body was given: the only one of most. */
  given: Entry | undefined;
  /** When that one was read. */
  givenAt: ReadState | undefined;
  /** All others. */
  others: Map<RecordModel, Map<number, Entry>> | undefined;
  writes: Write[];
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
      outer === undefined
        ? { given: undefined, givenAt: undefined, others: undefined, writes: [] }
        : outer.#changes;
  }

  get writes(): readonly Write[] {
    return this.#changes.writes;
  }

  /** Begins with the record that a body is given. */
  begin(model: RecordModel, record: StoredRecord, readAt: ReadState | undefined): void {
    this.#changes.given = newEntry(model, record, rowOf(record));
    this.#changes.givenAt = readAt;
  }

  /** When the record was read that it began with; undefined where that says nothing. */
  get givenAt(): ReadState | undefined {
    return this.#changes.givenAt;
  }

  /** True for the record that it began with. */
  isGiven(entry: Entry): boolean {
    return this.#changes.given === entry;
  }

  /** True when it changes or deletes others than the record that it began with. */
  get changesOthers(): boolean {
    const { given } = this.#changes;
    return this.writes.some(
      ({ kind, entry }) => kind !== 'insert' && entry !== given && entry.base !== undefined,
    );
  }

  /** Looks at everything that was read or created. */
  forEach(look: (entry: Entry) => void): void {
    const { given, others } = this.#changes;
    if (given !== undefined) look(given);
    if (others !== undefined) for (const ofModel of others.values()) ofModel.forEach(look);
  }

  /** True for a record that was read or created. */
  knows(model: RecordModel, id: number): boolean {
    return this.#known(model, id) !== undefined;
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
    const known = this.#known(model, idOf(row));
    if (known !== undefined) return known;
    const entry = newEntry(model, make(row), base);
    this.#others(model).set(idOf(row), entry);
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
    const entry = this.#known(model, id);
    return entry === undefined || entry.deleted ? undefined : entry.record;
  }

  insert(record: StoredRecord): void {
    const { model } = record;
    const row = rowOf(record);
    const entry = newEntry(model, record, undefined);
    entry.written = true;
    this.#others(model).set(idOf(row), entry);
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
    else if (this.#known(entry.model, entry.record.id) !== entry) return;
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
    this.#changes.others?.get(model)?.delete(record.id);
  }

  #isWithin(session: Session): boolean {
    return this === session || (this.#outer !== undefined && this.#outer.#isWithin(session));
  }

  #known(model: RecordModel, id: number): Entry | undefined {
    const { given, others } = this.#changes;
    if (given?.model === model && given.record.id === id) return given;
    return others?.get(model)?.get(id);
  }

  #others(model: RecordModel): Map<number, Entry> {
    const others = (this.#changes.others ??= new Map<RecordModel, Map<number, Entry>>());
    const known = others.get(model);
    if (known !== undefined) return known;
    const made = new Map<number, Entry>();
    others.set(model, made);
    return made;
  }
}

function newEntry(model: RecordModel, record: StoredRecord, base: Row | undefined): Entry {
  return { model, record, others: NONE, base, written: false, deleted: false };
}

function show({ record, others }: Entry, row: Row): void {
  showRow(record, row);
  for (const other of others) showRow(other, row);
}
