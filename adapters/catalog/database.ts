import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.js';

/** What differs between the databases of a catalog. */
export interface Dialect {
  readonly kind: 'sqlite' | 'postgres';
  /** The connection was lost, which says nothing about what was asked over it. */
  readonly isConnectionLost: (error: unknown) => boolean;
  /** Some unique index has the same values already. */
  readonly isDuplicate: (error: unknown) => boolean;
}

/** An open database: how the parts of a catalog read and write. */
export class CatalogDatabase {
  constructor(
    readonly kysely: Kysely<Tables>,
    private readonly dialect: Dialect,
  ) {}

  get kind(): Dialect['kind'] {
    return this.dialect.kind;
  }

  /** Transactions lock the rows that they work on. In SQLite a transaction that writes has the whole file. */
  get locksRows(): boolean {
    return this.kind === 'postgres';
  }

  isDuplicate(error: unknown): boolean {
    return this.dialect.isDuplicate(error);
  }

  /** Runs one query that changes nothing. It is asked again, once, when its connection is lost. */
  async read<T>(query: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    try {
      return await query(this.kysely);
    } catch (error) {
      if (!this.dialect.isConnectionLost(error)) throw error;
      return query(this.kysely);
    }
  }

  /**
   * Runs queries in one transaction, which has the right to write from its beginning on. It is repeated only when it could not
   * begin: of a connection that is lost later nobody knows whether the transaction has been committed.
   */
  async write<T>(work: (transaction: Transaction<Tables>) => Promise<T>): Promise<T> {
    const progress: { hasBegun: boolean } = { hasBegun: false };
    const attempt = (): Promise<T> =>
      this.kysely
        .transaction()
        // Rows that had to be waited for are read as they are then; a server's other default would refuse them.
        .setIsolationLevel('read committed')
        .execute((transaction) => {
          progress.hasBegun = true;
          return work(transaction);
        });
    try {
      return await attempt();
    } catch (error) {
      if (progress.hasBegun || !this.dialect.isConnectionLost(error)) throw error;
      return attempt();
    }
  }

  /** May be called more than once. */
  async close(): Promise<void> {
    await this.kysely.destroy();
  }
}
