import type { Client } from 'pg';

const CONNECT_TIMEOUT_MS = 10_000;

/** A connection to PostgreSQL of its own. */
export interface PostgresConnection {
  readonly client: Client;
  readonly close: () => Promise<void>;
}

/**
 * Connects to PostgreSQL. The connection ends when the signal is aborted, also in the middle of a statement.
 *
 * Values come as pg gives them, but a `date` as text.
 */
export async function connectPostgres(
  url: string,
  signal: AbortSignal,
): Promise<PostgresConnection> {
  signal.throwIfAborted();
  const { default: pg } = await import('pg');
  // A date has no time, and so cannot be a Date without one of some time zone.
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.DATE, String);
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'millrace',
    keepAlive: true,
    types,
  });
  // A connection that breaks between two statements: the next one tells.
  client.on('error', () => undefined);
  const end = (): Promise<void> => client.end().catch(() => undefined);
  const abort = (): void => {
    void end();
  };
  signal.addEventListener('abort', abort, { once: true });
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', abort);
    await end();
  };
  try {
    await client.connect();
    // Cursors are texts, which have to mean the same in the next session.
    await client.query("SET datestyle = 'ISO, YMD'; SET extra_float_digits = 1");
    return { client, close };
  } catch (error) {
    await close();
    throw error;
  }
}
