import type { Duration } from '../definition/duration.js';
import type { NewValues, Values } from './column.js';
import type { Conditions } from './condition.js';
import type { Migrations } from './migration.js';
import type { AnyRecordType, RecordActions, RecordType } from './record.js';

/** The record types of a store, by the names that they have in it. */
export type RecordTypes = Readonly<Record<string, AnyRecordType>>;

/** A record of a store. */
export type RecordOf<R extends RecordTypes, K> = K extends keyof R
  ? R[K] extends RecordType<infer C, infer M, infer H, infer B>
    ? Values<C> &
        RecordActions<C> &
        M & { readonly [N in keyof H]: Query<R, H[N]['record']> } & {
          readonly [N in keyof B]: RecordOf<R, B[N]['record']> | undefined;
        }
    : never
  : never;

type ColumnsOf<R extends RecordTypes, K> = K extends keyof R
  ? R[K] extends RecordType<infer C, infer _M, infer _H, infer _B>
    ? C
    : never
  : never;

type ColumnName<R extends RecordTypes, K> = (keyof ColumnsOf<R, K> & string) | 'id';

/** Records that fulfil conditions. Each call that narrows it down gives another query; nothing is read before one is asked for records. */
export interface Query<R extends RecordTypes, K> extends Iterable<RecordOf<R, K>> {
  /** Conditions by column, beside those that it has. */
  where(conditions: Conditions<ColumnsOf<R, K>>): Query<R, K>;
  /** A condition in SQL, with a `?` for each value: `where('age >= ?', 18)`. */
  where(sql: string, ...values: readonly unknown[]): Query<R, K>;
  /** By a column; ascending unless said otherwise. Without it records come by their ids. */
  order(column: ColumnName<R, K>, direction?: 'asc' | 'desc'): Query<R, K>;
  /** At most so many records. */
  limit(count: number): Query<R, K>;
  /** Not the first so many. */
  offset(count: number): Query<R, K>;
  all(): readonly RecordOf<R, K>[];
  first(): RecordOf<R, K> | undefined;
  count(): number;
  exists(): boolean;
  /** One column of each record. */
  pluck<N extends ColumnName<R, K>>(
    column: N,
  ): readonly (N extends keyof Values<ColumnsOf<R, K>> ? Values<ColumnsOf<R, K>>[N] : number)[];
}

/** The records of one type: all of them as a query, and what finds one. */
export interface ReadableRecords<R extends RecordTypes, K> extends Query<R, K> {
  /** @throws {@link RecordNotFound} */
  find(id: number): RecordOf<R, K>;
}

/** The records of one type, in a store that can be written to. */
export interface Records<R extends RecordTypes, K> extends ReadableRecords<R, K> {
  /**
   * Creates a record, whose id is known at once. In a body or a transaction it is written at its end.
   *
   * @throws {@link RecordInvalid} with the path of each wrong value
   */
  create(values: NewValues<ColumnsOf<R, K>>): RecordOf<R, K>;
}

/** Every record type of a store, as what can only be read. */
export type RecordsOfVersion<R extends RecordTypes> = {
  readonly [K in keyof R]: ReadableRecords<R, K>;
};

/** Every record type of a store. */
export type RecordsOfStore<R extends RecordTypes> = { readonly [K in keyof R]: Records<R, K> };

/** When a store makes versions of itself, and how many it keeps. */
export interface VersionPolicy {
  /** After each outermost transaction outside of runs; true unless set. */
  readonly afterTransactions?: boolean;
  /** While a run goes on; every 30 s unless set, beside its start, each step's end, a failure and its end. `transaction`: after each group of bodies. */
  readonly duringRuns?: VersionsOfRuns;
  /** Most versions that are kept, 100 unless set; the oldest go first. */
  readonly keep?: number;
  /** Most bytes that versions take together, 10 GiB unless set; the newest stays in any case. */
  readonly keepBytes?: number;
}

/** How often a run makes a version of what it works on. */
export type VersionsOfRuns =
  'transaction' | { readonly every?: Duration; readonly records?: number } | 'none';

/** What `defineStore` takes. */
export interface StoreDefinition<R extends RecordTypes> {
  /** Where its files are; a relative path starts at the project's folder, or where a script was started. */
  readonly dir: string;
  readonly records: R;
  /** Changes of the tables since they were first made. */
  readonly migrations?: Migrations;
  readonly versions?: VersionPolicy;
}

/** Why a version was made. */
export type VersionReason =
  | 'transaction'
  | 'run_start'
  | 'step'
  | 'interval'
  | 'failure'
  | 'run_end'
  | 'before_restore'
  | 'asked';

/** What is known of a version without looking at its records. */
export interface VersionInfo {
  /** Names it, sorts by time, and is the name of its file without `.sqlite3`. */
  readonly id: string;
  readonly file: string;
  /** ISO 8601. */
  readonly at: string;
  readonly reason: VersionReason;
  /** The run that made it. */
  readonly run?: string;
  /** The step at whose end, or in which, it was made. */
  readonly step?: string;
  /** Records by type. */
  readonly counts: Readonly<Record<string, number>>;
  readonly bytes: number;
}

/** What a store was at one time: its records as they were, to be read. */
export type Version<R extends RecordTypes> = RecordsOfVersion<R> & { readonly info: VersionInfo };

/** What two states of a store differ in, by record type. */
export type StoreDiff = Readonly<Record<string, TableDiff>>;

/** What differs in one table. The lists hold as many as were asked for. */
export interface TableDiff {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly changes: readonly RecordDiff[];
}

/** One record that differs: what it was, and what it is. */
export interface RecordDiff {
  readonly id: number;
  readonly before: Readonly<Record<string, unknown>> | undefined;
  readonly after: Readonly<Record<string, unknown>> | undefined;
}
