import type { AsyncLocalStorage } from 'node:async_hooks';
import { statSync } from 'node:fs';
import {
  InvalidQuery,
  RecordChanged,
  RecordNotFound,
  StoreUnusable,
} from '../../src/record-store/errors.js';
import { applyForReading, commitSession, type Tables } from './commit.js';
import { codeOf, guarded, isAboutFile, type Connection } from './connection.js';
import { RecordIds } from './record-ids.js';
import type { RecordModel, RecordModels } from './record-model.js';
import { RecordQuery, type RecordSource } from './query.js';
import { rowOf, type RecordHost, type StoredRecord } from './record-class.js';
import { ReadStates, type ReadState } from './read-state.js';
import { RecordReader } from './record-reader.js';
import { changedRow, newRow } from './row-values.js';
import { idOf, type Row } from './row.js';
import { EVERYTHING, type Selection } from './select.js';
import { Session, type Entry } from './session.js';
import { TableStatements } from './table-statements.js';

/** What became of a session that was to be committed. */
export type Committed =
  | { readonly kind: 'written' }
  /** Somebody else has changed what it had read: it has to begin again. */
  | { readonly kind: 'changed'; readonly error: RecordChanged }
  /** The database refuses it: a constraint of a table. */
  | { readonly kind: 'refused'; readonly error: unknown };

/** How often a new record is given another id because another tool has written under the one that it had. */
const MAX_IDS = 3;

/** The records of a store's current database. Whatever is read or changed within a session is part of it. */
export class LiveRecords implements RecordSource, RecordHost {
  readonly reader: RecordReader;
  readonly #tables = new Map<RecordModel, TableStatements>();
  readonly #ids: RecordIds;
  readonly #states: ReadStates;
  readonly #inode: number | undefined;
  /** Counts bodies that have changed others than the record that they were given. */
  otherChanges = 0;
  /** Counts bodies that have changed anything. */
  changes = 0;
  /** Called before anything is read: what was finished and not written yet is to be seen. */
  beforeRead: (() => void) | undefined;

  constructor(
    readonly file: string,
    readonly db: Connection,
    readonly models: RecordModels,
    /** Those of the store, however often its files are opened and closed: whoever is in one stays in it. */
    private readonly sessions: AsyncLocalStorage<Session>,
    /** What its records and queries go through. */
    private readonly current: RecordSource & RecordHost,
  ) {
    this.reader = new RecordReader(db, models, current);
    this.#ids = new RecordIds(db);
    this.#states = new ReadStates(db);
    this.#inode = inodeOf(file);
    for (const model of models.values()) this.#tables.set(model, new TableStatements(db, model));
  }

  /** The session that this is called in. */
  get session(): Session | undefined {
    return this.sessions.getStore();
  }

  /** Runs something within a session. */
  within<T>(session: Session, body: () => T): T {
    return this.sessions.run(session, body);
  }

  query(name: string): RecordQuery {
    return new RecordQuery(this.current, this.#model(name));
  }

  read(model: RecordModel, selection: Selection): readonly StoredRecord[] {
    const make = this.reader.maker(model);
    const rows = this.#seen(() => this.reader.rows(model, selection));
    const { session } = this;
    if (session === undefined) return rows.map(make);
    return rows.map((row) => this.#entry(session, model, row).record);
  }

  count(model: RecordModel, selection: Selection): number {
    return this.#seen(() => this.reader.count(model, selection));
  }

  create(name: string, values: Readonly<Record<string, unknown>>): StoredRecord {
    const model = this.#model(name);
    for (let beginning = 1; ; beginning += 1) {
      const row = newRow(model, values, () => guarded(this.file, () => this.#ids.next(model)));
      const record = this.reader.maker(model)(row);
      try {
        this.#change((session) => {
          session.insert(record);
        });
        return record;
      } catch (error) {
        if (!(error instanceof RecordChanged) || beginning >= MAX_IDS) throw error;
      }
    }
  }

  update(record: StoredRecord, values: Readonly<Record<string, unknown>>): void {
    this.#change((session) => {
      const entry = this.#own(session, record);
      // What the session has made of it, whichever object of it this is.
      const changed = changedRow(record.model, rowOf(entry.record), values);
      if (changed.columns.length > 0) session.update(entry, changed.row, changed.columns);
    });
  }

  remove(record: StoredRecord): void {
    this.#change((session) => {
      session.remove(this.#own(session, record));
    });
  }

  many(record: StoredRecord, to: string, foreignKey: string): RecordQuery {
    return this.query(to).where({ [foreignKey]: record.id });
  }

  one(to: string, id: number): StoredRecord | undefined {
    const model = this.#model(to);
    // It may have been read, or created, in this session already.
    return this.session?.find(model, id) ?? this.query(to).where({ id }).first();
  }

  /** A session that begins with a record which was read without one. */
  sessionOf(
    model: RecordModel,
    row: Row,
    readAt: ReadState | undefined,
  ): { readonly session: Session; readonly record: StoredRecord } {
    const session = new Session();
    const record = this.reader.maker(model)(row);
    session.begin(model, record, readAt);
    return { session, record };
  }

  /** What tells later whether rows that are read from now on can have changed. */
  readState(): ReadState | undefined {
    return guarded(this.file, () => this.#states.now(this.otherChanges));
  }

  /**
   * Writes sessions in one transaction, each as a whole or not at all.
   *
   * @param alongside - written in the same transaction before and after them; what it throws undoes everything
   */
  commit(
    sessions: readonly Session[],
    alongside: {
      readonly first?: () => void;
      readonly last?: (written: readonly Committed[]) => void;
    } = {},
  ): readonly Committed[] {
    return guarded(this.file, () => {
      this.#checkPlace();
      this.db.exec('begin immediate');
      try {
        alongside.first?.();
        const { dataVersion } = this.#states;
        const committed = sessions.map((session) => this.#commitOne(session, dataVersion));
        alongside.last?.(committed);
        this.db.exec('commit');
        return committed;
      } catch (error) {
        if (this.db.inTransaction) this.db.exec('rollback');
        throw error;
      }
    });
  }

  /** @returns what tells whether anybody has written to the database since */
  watch(): () => boolean {
    const state = (): string =>
      [
        // By others, and by this process.
        this.db.pragma('data_version', { simple: true }),
        this.db.prepare('select total_changes()').pluck().get(),
      ].join();
    const before = state();
    return () => state() === before;
  }

  /** Gives back what is set aside. The database is closed by who opened it. */
  close(): void {
    this.#ids.giveBack();
  }

  /** What is written to a file that was removed is lost, and nobody tells. */
  #checkPlace(): void {
    if (inodeOf(this.file) === this.#inode) return;
    throw new StoreUnusable(
      this.file,
      'was removed or replaced while it was open, so that nothing can be written any more. Put it back and start again what uses it, or close the store first.',
    );
  }

  #commitOne(session: Session, dataVersion: number): Committed {
    const { givenAt } = session;
    // Looking at each record once more costs a third of writing it.
    const isGivenSame =
      givenAt?.dataVersion === dataVersion && givenAt.otherChanges === this.otherChanges;
    try {
      commitSession(this.db, this.#tablesOf, session, isGivenSame);
      if (session.changesOthers) this.otherChanges += 1;
      if (session.writes.length > 0) this.changes += 1;
      return { kind: 'written' };
    } catch (error) {
      if (isAboutFile(error) || !this.db.inTransaction) throw error;
      const changed = this.#changedBy(error, session);
      return changed === undefined
        ? { kind: 'refused', error }
        : { kind: 'changed', error: changed };
    }
  }

  /** What somebody else has done to what a session had read, or to an id that it had; undefined for other errors. */
  #changedBy(error: unknown, { writes }: Session): RecordChanged | undefined {
    if (error instanceof RecordChanged) return error;
    if (!/^SQLITE_CONSTRAINT_(?:PRIMARYKEY|ROWID)/.test(codeOf(error))) return undefined;
    // Another tool has written under an id that was set aside here.
    this.#ids.clear();
    const created = writes.find(({ kind }) => kind === 'insert')?.entry.record;
    return created && new RecordChanged(created.model.name, created.id);
  }

  readonly #tablesOf: Tables = (model) => {
    const tables = this.#tables.get(model);
    if (tables === undefined) throw new Error(`no record type ${model.name}`);
    return tables;
  };

  /** Changes outside of a session are a session of their own. */
  #change(act: (session: Session) => void): void {
    if (this.session !== undefined) {
      act(this.session);
      return;
    }
    const session = new Session();
    act(session);
    if (session.writes.length === 0) return;
    try {
      this.beforeRead?.();
      const [committed] = this.commit([session]);
      if (committed !== undefined && committed.kind !== 'written') throw committed.error;
    } catch (error) {
      // Records show what is in the store.
      session.undo();
      throw error;
    }
  }

  /** Reads what is there together with what the session has changed. */
  #seen<T>(read: () => T): T {
    this.beforeRead?.();
    const { session } = this;
    return guarded(this.file, () => {
      if (session === undefined || session.writes.length === 0) return read();
      this.db.exec('begin immediate');
      try {
        applyForReading(this.#tablesOf, session);
        return read();
      } catch (error) {
        throw this.#changedBy(error, session) ?? error;
      } finally {
        if (this.db.inTransaction) this.db.exec('rollback');
      }
    });
  }

  #entry(session: Session, model: RecordModel, row: Row): Entry {
    const make = this.reader.maker(model);
    // Triggers and foreign keys may have changed a row by what the session has written: the table itself has another yet.
    const isOfTable =
      session.writes.length === 0 ||
      session.knows(model, idOf(row)) ||
      this.#tablesOf(model).hasSame(row);
    return session.entry(model, row, make, isOfTable ? row : this.#inTable(model, idOf(row)));
  }

  #inTable(model: RecordModel, id: number): Row | undefined {
    const same = { kind: 'compare', column: 'id', operator: '=', value: id } as const;
    return this.reader.rows(model, { ...EVERYTHING, conditions: [same] })[0];
  }

  #model(name: string): RecordModel {
    const model = this.models.get(name);
    if (model === undefined) throw new InvalidQuery(`The store has no record type "${name}".`);
    return model;
  }

  /** @throws {@link RecordNotFound} for one that the session has deleted, {@link RecordChanged} for one that it knows otherwise */
  #own(session: Session, record: StoredRecord): Entry {
    const entry = session.entryOf(record);
    if (entry === undefined) throw new RecordChanged(record.model.name, record.id);
    if (entry.deleted) throw new RecordNotFound(record.model.name, record.id);
    return entry;
  }
}

/** Which file it is, whatever it is called; undefined where there is none. */
function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}
