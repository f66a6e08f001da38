import type { Client } from 'pg';

const CONNECT_TIMEOUT_MS = 10_000;

/** Numbers of types that PostgreSQL never changes: `text[]`, and `date[]`, `timestamp[]` and `timestamptz[]`. */
const TEXT_LIST = 1_009;
const TIME_LISTS = [1_182, 1_115, 1_185];

/** A connection to PostgreSQL of its own. */
export interface PostgresConnection {
  readonly client: Client;
  readonly close: () => Promise<void>;
}

/**
 * Connects to PostgreSQL. The connection ends when the signal is aborted, also in the middle of a statement.
 *
 * Values come as pg gives them, but dates and timestamps, and lists of them, as the text that PostgreSQL prints. A Date would lose
 * microseconds, and make of a time without a zone one of the worker's.
 */
export async function connectPostgres(
  url: string,
  signal: AbortSignal,
): Promise<PostgresConnection> {
  signal.throwIfAborted();
  const { default: pg } = await import('pg');
  const types = new pg.TypeOverrides();
  const { DATE, TIMESTAMP, TIMESTAMPTZ } = pg.types.builtins;
  for (const type of [DATE, TIMESTAMP, TIMESTAMPTZ]) types.setTypeParser(type, String);
  // The driver's types know only some of the numbers that the driver does.
  const listOfTexts = pg.types.getTypeParser(TEXT_LIST as never) as (text: string) => unknown;
  for (const type of TIME_LISTS) types.setTypeParser(type, listOfTexts);
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
