import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NoSuchVersion, StoreBusy, StoreUnusable } from '../../src/record-store/errors.js';
import type {
  RecordTypes,
  StoreDefinition,
  StoreDiff,
  VersionInfo,
  VersionReason,
} from '../../src/record-store/store.js';
import { openToWrite, type Connection } from './connection.js';
import { LiveRecords } from './live-records.js';
import { modelsOf, type RecordModels } from './record-model.js';
import { RunLog } from './run/run-log.js';
import { prepareSchema } from './schema.js';
import { Session } from './session.js';
import { diffFiles } from './version/diff.js';
import { forgetVersion, restoreInto } from './version/restore.js';
import { makeSnapshot, type Snapshot } from './version/snapshot.js';
import { VersionFiles } from './version/version-files.js';
import { VersionRecords } from './version/version-records.js';

/** How often a transaction begins again because somebody else has changed what it had read. */
const MAX_BEGINNINGS = 10;

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
    const { live } = this;
    const outer = live.session;
    if (outer !== undefined) {
      const mark = outer.writes.length;
      try {
        return await body();
      } catch (error) {
        outer.revertTo(mark);
        throw error;
      }
    }
    const value = await this.#outermost(body);
    const { afterTransactions = true } = this.definition.versions ?? {};
    if (afterTransactions) await this.snapshot('transaction').done;
    return value;
  }

  async #outermost<T>(body: () => T | Promise<T>): Promise<T> {
    const { live } = this;
    for (let beginning = 1; ; beginning += 1) {
      const session = new Session();
      const value = await live.within(session, body);
      live.beforeRead?.();
      const [committed] = live.commit([session]);
      if (committed === undefined || committed.kind === 'written') return value;
      if (committed.kind === 'refused' || beginning >= MAX_BEGINNINGS) throw committed.error;
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
    const { folder } = this.files;
    const snapshot = makeSnapshot({
      source: this.file,
      folder,
      models,
      reason,
      ...of,
      now: new Date(),
    });
    const done = snapshot.done.then((id) => {
      this.files.trim(this.definition.versions ?? {});
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

  /** @throws {@link NoSuchVersion} */
  find(id: string): VersionInfo {
    const all = this.files.list();
    const found = all.find((info) => info.id === id);
    if (found !== undefined) return found;
    const newest = all.slice(-3).map((info) => info.id);
    throw new NoSuchVersion(this.dir, id, newest);
  }

  /**
   * Makes a version current. What it replaces is a version itself first, so that nothing is lost.
   *
   * @returns the version of what was replaced
   * @throws {@link NoSuchVersion}, {@link StoreBusy} while a run works on the store
   */
  async restore(id: string): Promise<VersionInfo> {
    const info = this.find(id);
    const { runs } = this;
    const active = runs.active();
    if (active !== undefined) throw new StoreBusy(this.dir, active.id, active.startedAt);
    const known = runs.all();
    const replaced = await this.snapshot('before_restore').done;
    await restoreInto(this.file, info.file);
    this.close();
    // Runs the migrations that the version is from before.
    this.open();
    // Runs have happened, whatever their records are now.
    this.runs.keep(known);
    return this.find(replaced);
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
    if (!existsSync(file)) this.#checkNew();
    mkdirSync(dir, { recursive: true });
    files.removeAbandoned(new Date());
    const db = openToWrite(file);
    try {
      this.#prepare(db, models);
      return new LiveRecords(file, db, models);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #prepare(db: Connection, models: RecordModels): void {
    const { migrations = {} } = this.definition;
    forgetVersion(db);
    prepareSchema({ db, file: this.file, models, migrations }, new Date());
  }

  /** A store whose database has gone is not begun anew over what is left of it. */
  #checkNew(): void {
    const versions = this.files.list();
    const newest = versions.at(-1);
    if (newest === undefined) return;
    throw new StoreUnusable(
      this.file,
      `is missing, though ${this.files.folder} has ${String(versions.length)} versions. Copy the one to go on from, such as ${newest.file}, to db.sqlite3; or use another dir.`,
    );
  }
}
