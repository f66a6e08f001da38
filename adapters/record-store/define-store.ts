import { DEFINITION, type Branded } from '../../src/definition/brand.js';
import type {
  RecordsOfStore,
  RecordTypes,
  StoreDefinition,
  StoreDiff,
  Version,
  VersionInfo,
} from '../../src/record-store/store.js';
import { SqliteStore } from './sqlite-store.js';

/** Most records that a diff lists of each type unless asked otherwise. */
const DIFF_LIMIT = 100;

/** What a store does beside giving its records. */
export interface StoreActions<R extends RecordTypes> extends Branded<'record_store'> {
  /** The folder of its files; absolute. */
  readonly dir: string;
  /**
   * Runs a body whose changes are written all at once when it ends, and not at all when it throws. Within another transaction,
   * or in a step's body, it is a part of that. The body runs again when what it has read was changed by somebody else meanwhile.
   *
   * @returns what the body returns
   */
  transaction<T>(body: () => T | Promise<T>): Promise<T>;
  /** What it was at earlier times, oldest first. */
  readonly versions: readonly Version<R>[];
  /** Makes a version of what it is now. */
  snapshot(): Promise<Version<R>>;
  /**
   * Makes a version current again. What it replaces becomes a version itself first: no restoring loses anything.
   *
   * @returns the version of what was replaced; the restored one itself where the database had gone
   * @throws {@link StoreBusy} while a run works on it, {@link StoreUnusable} for a version that is damaged or cannot be migrated
   */
  restore(version: Version<R> | string): Promise<Version<R>>;
  /** What is other in `after` than in `before`; without `after`, what is other now. */
  diff(
    before: Version<R> | string,
    after?: Version<R> | string,
    options?: { readonly limit?: number },
  ): StoreDiff;
  /** Closes its files. It is opened again when it is used. */
  close(): void;
}

/** A store of records: one SQLite database, and versions of it. Made by {@link defineStore}. */
export type Store<R extends RecordTypes = RecordTypes> = RecordsOfStore<R> & StoreActions<R>;

/** Where a store keeps what it works with: no record type can have this name. */
const CORE = Symbol.for('millrace.record_store');

/** The workings of a store that a person has defined. */
export function coreOf(store: object): SqliteStore {
  // Who has a store has one of ours.
  return (store as { readonly [CORE]: SqliteStore })[CORE];
}

/**
 * Defines a store: the records of a pipeline, in one SQLite database, with versions to go back to. It is opened, and made
 * where it is missing, when it is first used.
 *
 * @example
 * ```ts
 * export const store = defineStore({
 *   dir: 'data/onboarding',
 *   records: {
 *     user: record({
 *       table: 'users',
 *       columns: { name: z.string().min(1), processed: z.boolean().default(false) },
 *     }),
 *   },
 * });
 * ```
 */
export function defineStore<R extends RecordTypes>(definition: StoreDefinition<R>): Store<R> {
  const core = new SqliteStore(definition);
  const versionOf = (info: VersionInfo): Version<R> => {
    const version = { info };
    for (const name of Object.keys(definition.records))
      Object.defineProperty(version, name, {
        enumerable: true,
        get: () => core.version(info).query(name),
      });
    return version as Version<R>;
  };
  const idOf = (version: Version<R> | string): string =>
    typeof version === 'string' ? version : version.info.id;
  const actions: StoreActions<R> = {
    [DEFINITION]: 'record_store',
    get dir() {
      return core.dir;
    },
    get versions() {
      return core.files.list().map(versionOf);
    },
    transaction: (body) => core.transaction(body),
    snapshot: async () => versionOf(core.find(await core.snapshot('asked').done)),
    restore: async (version) => versionOf(await core.restore(idOf(version))),
    diff: (before, after, { limit = DIFF_LIMIT } = {}) =>
      core.diff(idOf(before), after === undefined ? undefined : idOf(after), limit),
    close: () => {
      core.close();
    },
  };
  const store = Object.assign(Object.create(null, Object.getOwnPropertyDescriptors(actions)), {
    [CORE]: core,
  }) as object;
  for (const name of Object.keys(definition.records))
    Object.defineProperty(store, name, { enumerable: true, get: () => recordsOf(core, name) });
  return store as Store<R>;
}

function recordsOf(core: SqliteStore, name: string): object {
  const query = core.live.query(name);
  return Object.assign(query, {
    create: (values: Readonly<Record<string, unknown>>) => core.live.create(name, values),
  });
}
