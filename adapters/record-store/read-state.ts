import type { Connection, Statement } from './connection.js';

/** When rows were read: while nothing has happened since that could change them, the tables have them still. */
export interface ReadState {
  /** Others, of this process or another, have written when it differs. */
  readonly dataVersion: number;
  /** Bodies that had changed others than the record that they were given. */
  readonly otherChanges: number;
}

/** Tells whether what was read can have changed, without looking at it. */
export class ReadStates {
  readonly #version: Statement;
  #known: { readonly dataVersion: number; readonly isIsolated: boolean } | undefined;

  constructor(private readonly db: Connection) {
    this.#version = db.prepare('pragma data_version').pluck();
  }

  /** What has been committed by other connections. */
  get dataVersion(): number {
    return Number(this.#version.get());
  }

  /** @returns undefined where writing one row may change others, so that no state of reading says anything about them */
  now(otherChanges: number): ReadState | undefined {
    const { dataVersion } = this;
    // Only another connection can have changed what the database does by itself.
    if (this.#known?.dataVersion !== dataVersion)
      this.#known = { dataVersion, isIsolated: isIsolated(this.db) };
    return this.#known.isIsolated ? { dataVersion, otherChanges } : undefined;
  }
}

/** True where a row that is written changes no other one: by a trigger, a foreign key's action, or taking its place. */
function isIsolated(db: Connection): boolean {
  const found = db
    .prepare(
      `select exists (
         select 1 from sqlite_schema where type = 'trigger' or (type = 'table' and sql like '%replace%')
         union all
         select 1 from sqlite_schema t, pragma_foreign_key_list(t.name) f
         where t.type = 'table' and not (f.on_update in ('NO ACTION', 'RESTRICT') and f.on_delete in ('NO ACTION', 'RESTRICT'))
       )`,
    )
    .pluck()
    .get();
  return found === 0;
}
