import { AsyncLocalStorage } from 'node:async_hooks';
import { InvalidQuery, RecordChanged } from '../../src/record-store/errors.js';
import { applyForReading, commitSession, type Tables } from './commit.js';
import { codeOf, guarded, type Connection } from './connection.js';
import { RecordIds } from './record-ids.js';
import type { RecordModel, RecordModels } from './record-model.js';
import { RecordQuery, type RecordSource } from './query.js';
import { rowOf, type RecordHost, type StoredRecord } from './record-class.js';
import { RecordReader } from './record-reader.js';
import { changedRow, newRow } from './row-values.js';
import type { Row } from './row.js';
import type { Selection } from './select.js';
import { Session } from './session.js';
import { TableStatements } from './table-statements.js';

/** What became of a session that was to be committed. */
export type Committed =
  | { readonly kind: 'written' }
  /** Somebody else has changed what it had read: it has to begin again. */
  | { readonly kind: 'changed'; readonly error: RecordChanged }
  /** The database refuses it: a constraint of a table. */
  | { readonly kind: 'refused'; readonly error: unknown };

/** The records of a store's current database. Whatever is read or changed within a session is part of it. */
export class LiveRecords implements RecordSource, RecordHost {
  readonly reader: RecordReader;
  readonly #sessions = new AsyncLocalStorage<Session>();
  readonly #tables = new Map<RecordModel, TableStatements>();
  readonly #ids: RecordIds;
  /** Counts bodies that have changed others than the record that they were given. */
  otherChanges = 0;
  /** Counts bodies that have created records. */
  inserts = 0;
  /** Called before anything is read: what was finished and not written yet is to be seen. */
  beforeRead: (() => void) | undefined;

  constructor(
    readonly file: string,
    readonly db: Connection,
    readonly models: RecordModels,
  ) {
    this.reader = new RecordReader(db, models, this);
    this.#ids = new RecordIds(db);
    for (const model of models.values()) this.#tables.set(model, new TableStatements(db, model));
  }

  /** The session that this is called in. */
  get session(): Session | undefined {
    return this.#sessions.getStore();
  }

  /** Runs something within a session. */
  within<T>(session: Session, body: () => T): T {
    return this.#sessions.run(session, body);
  }

  query(name: string): RecordQuery {
    return new RecordQuery(this, this.#model(name));
  }

  read(model: RecordModel, selection: Selection): readonly StoredRecord[] {
    const make = this.reader.maker(model);
    const rows = this.#seen(() => this.reader.rows(model, selection));
    const { session } = this;
    if (session === undefined) return rows.map(make);
    return rows.map((row) => session.entry(model, row, make).record);
  }

  count(model: RecordModel, selection: Selection): number {
    return this.#seen(() => this.reader.count(model, selection));
  }

  create(name: string, values: Readonly<Record<string, unknown>>): StoredRecord {
    const model = this.#model(name);
    return guarded(this.file, () => {
      const row = newRow(model, values, () => this.#ids.next(model));
      const record = this.reader.maker(model)(row);
      this.#change((session) => {
        session.insert(model, record);
      });
      return record;
    });
  }

  update(record: StoredRecord, values: Readonly<Record<string, unknown>>): void {
    this.#checkOwn(record);
    const changed = changedRow(record.model, rowOf(record), values);
    if (changed.columns.length === 0) return;
    this.#change((session) => {
      session.update(record, changed.row, changed.columns);
    });
  }

  remove(record: StoredRecord): void {
    this.#checkOwn(record);
    this.#change((session) => {
      session.remove(record);
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
  ): { readonly session: Session; readonly record: StoredRecord } {
    const session = new Session();
    return { session, record: session.begin(model, row, this.reader.maker(model)).record };
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
      this.db.exec('begin immediate');
      try {
        alongside.first?.();
        const committed = sessions.map((session) => this.#commitOne(session));
        alongside.last?.(committed);
        this.db.exec('commit');
        return committed;
      } catch (error) {
        if (this.db.inTransaction) this.db.exec('rollback');
        throw error;
      }
    });
  }

  /** Gives back what is set aside. The database is closed by who opened it. */
  close(): void {
    this.#ids.giveBack();
  }

  #commitOne(session: Session): Committed {
    try {
      commitSession(this.db, this.#tablesOf, session);
      if (session.changesOthers) this.otherChanges += 1;
      if (session.inserts) this.inserts += 1;
      return { kind: 'written' };
    } catch (error) {
      if (error instanceof RecordChanged) return { kind: 'changed', error };
      if (!codeOf(error).startsWith('SQLITE_CONSTRAINT') || !this.db.inTransaction) throw error;
      if (/PRIMARYKEY|ROWID/.test(codeOf(error))) {
        // Another tool has written under an id that was set aside here.
        for (const model of this.models.values()) this.#ids.forget(model);
      }
      return { kind: 'refused', error };
    }
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
    this.beforeRead?.();
    const [committed] = this.commit([session]);
    if (committed?.kind === 'written' || committed === undefined) return;
    session.revertTo(0);
    throw committed.error;
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
      } finally {
        if (this.db.inTransaction) this.db.exec('rollback');
      }
    });
  }

  #model(name: string): RecordModel {
    const model = this.models.get(name);
    if (model === undefined) throw new InvalidQuery(`The store has no record type "${name}".`);
    return model;
  }

  #checkOwn(record: StoredRecord): void {
    if (this.session?.entryOf(record).deleted === true)
      throw new RecordChanged(record.model.name, record.id);
  }
}
