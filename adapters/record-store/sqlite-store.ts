import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  NoSuchVersion,
  RecordChanged,
  StoreBusy,
  StoreUnusable,
} from '../../src/record-store/errors.js';
import type {
  RecordTypes,
  StoreDefinition,
  StoreDiff,
  VersionInfo,
  VersionReason,
} from '../../src/record-store/store.js';
import { errorMessage } from '../error-parts.js';
import { guarded, openToWrite } from './connection.js';
import { CurrentRecords } from './current-records.js';
import { LiveRecords } from './live-records.js';
import { modelsOf, type RecordModels } from './record-model.js';
import { formatOf } from './own-tables.js';
import { RunLog } from './run/run-log.js';
import { prepareSchema } from './schema.js';
import { Session } from './session.js';
import { diffFiles } from './version/diff.js';
import {
  copyToRestore,
  keepHistory,
  putInPlace,
  removeCopy,
  replaceContent,
} from './version/restore.js';
import { makeSnapshot, type Snapshot } from './version/snapshot.js';
import { VersionFiles } from './version/version-files.js';
import { VersionRecords } from './version/version-records.js';

/** How often a transaction begins again because somebody else has changed what it had read. */
const MAX_BEGINNINGS = 10;

/** How often restoring begins again because somebody else has written to the store meanwhile. */
const MAX_RESTORES = 10;

/** Most versions whose files are open at once. */
const MAX_OPEN_VERSIONS = 20;

/** A store on this machine: its current database, and its versions. Opened when it is first used. */
export class SqliteStore {
  readonly definition: StoreDefinition<RecordTypes>;
  #base: string | undefined;
  #models: RecordModels | undefined;
  #live: LiveRecords | undefined;
  #files: VersionFiles | undefined;
  readonly #versions = new Map<string, VersionRecords>();
  readonly #sessions = new AsyncLocalStorage<Session>();
  readonly #current = new CurrentRecords(() => this.live);

  constructor(definition: StoreDefinition<RecordTypes>) {
    this.definition = definition;
  }

  /** The folder of its files; absolute. */
  get dir(): string {
    return resolve(this.#base ?? process.cwd(), this.definition.dir);
  }

  /** Its current database. */
  get file(): string {
    return join(this.dir, 'db.sqlite3');
  }

  /** Whether it was made: it is when it is first opened. */
  get exists(): boolean {
    return existsSync(this.file);
  }

  /** The store's own: other stores, and copies that began a life of their own elsewhere, have others. */
  get id(): string {
    return String(this.live.db.prepare('select id from millrace_store').pluck().get());
  }

  get models(): RecordModels {
    const { records, migrations = {} } = this.definition;
    this.#models ??= modelsOf(records, migrations);
    return this.#models;
  }

  /**
   * Says where relative paths start, where that is not the folder in which the process was started.
   *
   * @throws {@link StoreUnusable} when it is open already, somewhere else
   */
  startAt(base: string): void {
    if (this.#live !== undefined && resolve(base, this.definition.dir) !== this.dir)
      throw new StoreUnusable(
        this.dir,
        'is open already. Use a store after the project was loaded, not while it is.',
      );
    this.#base = base;
  }

  /** Opens it, where it is not. @throws {@link StoreUnusable} and what {@link prepareSchema} throws */
  open(): LiveRecords {
    return this.live;
  }

  /** The current records. @throws {@link StoreUnusable} and what {@link prepareSchema} throws */
  get live(): LiveRecords {
    this.#live ??= this.#open();
    return this.#live;
  }

  /** What it knows of the runs that have worked on it. */
  get runs(): RunLog {
    return new RunLog(this.live.db);
  }

  get files(): VersionFiles {
    this.#files ??= new VersionFiles(join(this.dir, 'versions'));
    return this.#files;
  }

  /** Runs a body whose changes are written all at once when it ends, or not at all when it throws. */
  async transaction<T>(body: () => T | Promise<T>): Promise<T> {
    const outer = this.#sessions.getStore();
    if (outer !== undefined) return this.#within(new Session(outer), body);
    const value = await this.change(body);
    const { afterTransactions = true } = this.definition.versions ?? {};
    if (afterTransactions) await this.#versionOfTransaction();
    return value;
  }

  /** Runs a body in a session; what it has changed is taken back when it throws. */
  async #within<T>(session: Session, body: () => T | Promise<T>): Promise<T> {
    try {
      return await this.#sessions.run(session, body);
    } catch (error) {
      session.undo();
      throw error;
    }
  }

  /**
   * A transaction that makes no version.
   *
   * @param alongside - done in the same transaction at its end; what it throws undoes everything
   */
  async change<T>(body: () => T | Promise<T>, alongside?: () => void): Promise<T> {
    const { live } = this;
    for (let beginning = 1; ; beginning += 1) {
      const session = new Session();
      try {
        const value = await this.#within(session, body);
        live.beforeRead?.();
        const [committed] = live.commit([session], alongside && { last: alongside });
        if (committed !== undefined && committed.kind !== 'written') throw committed.error;
        return value;
      } catch (error) {
        // Records show what is in the store.
        session.undo();
        if (!(error instanceof RecordChanged) || beginning >= MAX_BEGINNINGS) throw error;
      }
    }
  }

  async #versionOfTransaction(): Promise<void> {
    try {
      await this.snapshot('transaction').done;
    } catch (error) {
      throw new StoreUnusable(
        this.file,
        `a transaction was written, but no version could be made after it: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  }

  /** Makes a version of what there is now. */
  snapshot(
    reason: VersionReason,
    of: { readonly run?: string; readonly step?: string } = {},
  ): Snapshot {
    // Opened first, so that there is something to make a version of.
    const { live, models } = this;
    live.beforeRead?.();
    const now = new Date();
    const { folder } = this.files;
    const name = this.files.nameFor(now);
    const snapshot = makeSnapshot({
      source: this.file,
      folder,
      name,
      models,
      reason,
      ...of,
      now,
    });
    const done = snapshot.done.then(async (id) => {
      await this.files.trim(this.definition.versions ?? {});
      return id;
    });
    done.catch(() => undefined);
    return { ...snapshot, done };
  }

  /** The records of a version. */
  version(info: VersionInfo): VersionRecords {
    const known = this.#versions.get(info.id);
    if (known !== undefined) return known;
    if (this.#versions.size >= MAX_OPEN_VERSIONS) this.#closeVersions();
    const records = new VersionRecords(info, this.models);
    this.#versions.set(info.id, records);
    return records;
  }

  /** @throws {@link NoSuchVersion}, {@link StoreUnusable} for one that is damaged */
  find(id: string): VersionInfo {
    const found = this.files.find(id);
    if (found !== undefined) return found;
    const newest = this.files
      .list()
      .slice(-3)
      .map((info) => info.id);
    throw new NoSuchVersion(this.dir, id, newest);
  }

  /**
   * Makes a version current. What it replaces is a version itself first, so that nothing is lost.
   *
   * @returns the version of what was replaced; the restored one itself where there was no database any more
   * @throws {@link NoSuchVersion}, {@link StoreBusy} while a run works on the store, {@link StoreUnusable}
   */
  async restore(id: string): Promise<VersionInfo> {
    if (this.#sessions.getStore() !== undefined)
      throw new StoreUnusable(
        this.dir,
        'is not restored within a transaction or a body, which it would pull the records away from. Restore it before or after.',
      );
    const info = this.find(id);
    const { files, models } = this;
    const { migrations = {} } = this.definition;
    const version = { version: info.file, folder: files.folder, models, migrations };
    const isLost = !isThere(this.file);
    if (!isLost) this.#checkFree();
    const copy = await copyToRestore(version, new Date());
    try {
      if (!isLost) return await this.#replaceBy(copy);
      // What is open is a file that nobody else sees.
      this.close();
      putInPlace(copy, this.file, new Date());
      this.open();
      return info;
    } finally {
      removeCopy(copy);
    }
  }

  /** @returns the version of what was replaced */
  async #replaceBy(copy: string): Promise<VersionInfo> {
    for (let beginning = 1; beginning <= MAX_RESTORES; beginning += 1) {
      const { live } = this;
      const isAsBefore = live.watch();
      this.#checkFree();
      const replaced = await this.snapshot('before_restore').done;
      keepHistory(copy, this.file);
      if (await replaceContent(this.file, copy, isAsBefore)) return this.find(replaced);
      // Nothing was replaced yet: it is the version of something that is still there.
      await this.files.remove(replaced);
    }
    throw new StoreUnusable(
      this.file,
      'is written to by others all the time. Nothing was restored; stop what writes to it, and restore again.',
    );
  }

  /** @throws {@link StoreBusy} */
  #checkFree(): void {
    const active = this.runs.active();
    if (active !== undefined) throw new StoreBusy(this.dir, active.id, active.startedAt);
  }

  /** What differs between two states; undefined is the current one. */
  diff(before: string | undefined, after: string | undefined, limit: number): StoreDiff {
    this.open();
    const file = (id: string | undefined): string =>
      id === undefined ? this.file : this.find(id).file;
    return diffFiles({ before: file(before), after: file(after), models: this.models, limit });
  }

  close(): void {
    this.#closeVersions();
    const live = this.#live;
    this.#live = undefined;
    if (live === undefined) return;
    live.close();
    live.db.close();
  }

  #closeVersions(): void {
    for (const records of this.#versions.values()) records.close();
    this.#versions.clear();
  }

  #open(): LiveRecords {
    const { models, file, dir, files } = this;
    const { migrations = {} } = this.definition;
    if (!isThere(file)) this.#checkNew();
    guarded(dir, () => mkdirSync(dir, { recursive: true }));
    files.removeAbandoned(new Date());
    const db = openToWrite(file, (found) => {
      formatOf(found, file);
    });
    try {
      prepareSchema({ db, file, models, migrations }, new Date());
      return new LiveRecords(file, db, models, this.#sessions, this.#current);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** A store whose database has gone is not begun anew over what is left of it. */
  #checkNew(): void {
    const versions = this.files.list();
    const newest = versions.at(-1);
    if (newest === undefined) return;
    throw new StoreUnusable(
      this.file,
      `is missing or empty, though ${this.files.folder} has ${versions.length === 1 ? 'a version' : `${String(versions.length)} versions`}. Restore the one to go on from, such as the newest, ${newest.id} (millrace records restore, or restore() of the store); or use another dir.`,
    );
  }
}

/** True for a database; SQLite takes a file without anything in it for a new one. */
function isThere(file: string): boolean {
  return guarded(file, () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0);
}
