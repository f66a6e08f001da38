import type Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../error-parts.js';
import { sqliteParameter } from './values.js';

/** How long a statement waits for others that write. */
const BUSY_TIMEOUT_MS = 5_000;
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 25;

/** Most statements that are kept prepared, and the longest one, in characters: bulk inserts are all different. */
const MAX_STATEMENTS = 200;
const MAX_STATEMENT_LENGTH = 4_000;

/**
 * Kysely's dialect for SQLite, with three differences: transactions take the right to write when they begin; waiting for
 * other writers does not block the process; statements stay prepared.
 */
export function sqliteDialect(database: Sqlite.Database): Dialect {
  return {
    createDriver: () => new SqliteDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

/**
 * Does something that another connection may be in the way of, and tries again for {@link BUSY_TIMEOUT_MS}. SQLite's own busy
 * handler would block the whole process, and wait in vain where the other connection is one of this process.
 */
export async function whenFree<T>(act: () => T): Promise<T> {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || Date.now() >= deadline) throw error;
    }
    // Two that wait for each other's end should not come back at the same time.
    await sleep(waitMs * (0.5 + Math.random()));
  }
}

function isBusy(error: unknown): boolean {
  return errorCode(error)?.startsWith('SQLITE_BUSY') === true;
}

/** Migrations run in a transaction here as well: two processes that open a new file do not both create its tables. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #database: Sqlite.Database;
  readonly #connection: SqliteConnection;
  /** Resolves when the connection is free again. */
  #lastUse: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  constructor(database: Sqlite.Database) {
    this.#database = database;
    this.#connection = new SqliteConnection(database);
  }

  async init(): Promise<void> {
    // It is open already.
  }

  /** There is one connection; users come one after the other. */
  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#lastUse;
    let release = (): void => undefined;
    this.#lastUse = new Promise((resolve) => {
      release = resolve;
    });
    await before;
    this.#release = release;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // A transaction that begins by reading fails when another process writes before it does: SQLITE_BUSY_SNAPSHOT.
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite itself rolls back on a full disk and the like; that error is the one to tell.
    if (this.#database.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async destroy(): Promise<void> {
    this.#database.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(private readonly database: Sqlite.Database) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // Within a transaction nobody can be in the way, so nothing is waited for.
    return this.database.inTransaction ? this.#run(query) : whenFree(() => this.#run<R>(query));
  }

  streamQuery(): never {
    throw new Error('The catalog does not stream queries.');
  }

  #run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const { statement, columns } = this.#prepare(sql);
    const values = parameters.map(sqliteParameter);
    // Kysely knows the type of the rows from the query.
    if (columns !== undefined) return { rows: rowsOf(statement, columns, values) as R[] };
    const { changes } = statement.run(values);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  #prepare(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    const prepared: PreparedStatement = statement.reader
      ? { statement: statement.raw(), columns: statement.columns().map(({ name }) => name) }
      : { statement };
    if (sql.length <= MAX_STATEMENT_LENGTH) {
      if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }
}

/** A statement; the names of what it reads, where it reads. */
interface PreparedStatement {
  readonly statement: Sqlite.Statement;
  readonly columns?: readonly string[];
}

/** Rows as objects of one shape. The driver's own are dictionaries, which take longer to make and to read. */
function rowsOf(
  statement: Sqlite.Statement,
  columns: readonly string[],
  parameters: readonly unknown[],
): readonly object[] {
  // It is in raw mode, and gives arrays.
  const lists = statement.all(parameters) as readonly (readonly unknown[])[];
  const width = lists[0]?.length ?? 0;
  // A newer version of Millrace may have added columns to the file meanwhile, which `*` takes in.
  const names = width <= columns.length ? columns : statement.columns().map(({ name }) => name);
  return lists.map((list) => {
    const row: Record<string, unknown> = {};
    for (let at = 0; at < width; at += 1) row[names[at] ?? ''] = list[at];
    return row;
  });
}
