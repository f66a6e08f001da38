import type { Pool } from 'pg';
import { Kysely, PostgresDialect } from 'kysely';
import type { CatalogPool } from '../../src/config/project-config.js';
import type { Log } from '../../src/pipeline/context.js';
import { CatalogDatabase } from './database.js';
import { errorCode, errorMessage } from '../error-parts.js';

/** As the configuration has it where nothing is set. */
const DEFAULT_POOL: CatalogPool = {
  maxConnections: 10,
  minConnections: 0,
  connectionTimeoutMs: 10_000,
};
/**
 * What the server ends by itself, so that a process which is frozen in the middle of a transaction does not keep a flow locked for
 * ever: one statement, one wait for a lock, the time in a transaction between two statements. The query of the URL may say something
 * else.
 */
const SERVER_TIMEOUTS = {
  statement_timeout: 30_000,
  lock_timeout: 10_000,
  idle_in_transaction_session_timeout: 60_000,
} as const;

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const UNIQUE_VIOLATION = '23505';
/** Class 08: connection exceptions. 57P01-57P03: the server shuts down, has crashed, is starting. */
const LOST = /^(08...|57P0[123])$/;
const LOST_SOCKET = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** What pg itself says has no code. */
const LOST_MESSAGE = /^(Connection terminated|Client has encountered a connection error)/;

/** Opens a PostgreSQL database. Connections are made when they are needed. */
export async function openPostgres(
  url: string,
  {
    log,
    pool: { maxConnections, minConnections, connectionTimeoutMs } = DEFAULT_POOL,
  }: { readonly log?: Pick<Log, 'warn'> | undefined; readonly pool?: CatalogPool | undefined } = {},
): Promise<CatalogDatabase> {
  // Loaded here so that who uses SQLite does not load it.
  const { default: pg } = await import('pg');
  const types = new pg.TypeOverrides();
  // Counters are numbers: none gets near 2^53. JSON stays text, as SQLite has it.
  types.setTypeParser(pg.types.builtins.INT8, Number);
  types.setTypeParser(pg.types.builtins.JSON, (text) => text);
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    min: minConnections,
    connectionTimeoutMillis: connectionTimeoutMs,
    ...SERVER_TIMEOUTS,
    keepAlive: true,
    application_name: 'millrace',
    types,
  });
  surviveLostConnections(pool, log);
  return new CatalogDatabase(new Kysely({ dialect: new PostgresDialect({ pool }) }), {
    kind: 'postgres',
    isConnectionLost,
    isDuplicate: (error) => errorCode(error) === UNIQUE_VIOLATION,
  });
}

/**
 * A server that restarts ends its connections: idle ones, which the pool tells, and those that are in use but wait for nothing at
 * the moment, which only tell themselves. Without listeners either would end the process. Both leave the pool.
 */
function surviveLostConnections(pool: Pool, log: Pick<Log, 'warn'> | undefined): void {
  pool.on('error', (error) => {
    log?.warn({ err: error }, 'A connection to the catalog was lost.');
  });
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
}

function isConnectionLost(error: unknown): boolean {
  const code = errorCode(error) ?? '';
  if (LOST.test(code) || LOST_SOCKET.has(code)) return true;
  return LOST_MESSAGE.test(errorMessage(error));
}
