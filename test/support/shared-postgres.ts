import { startPostgresServer, type PostgresServer } from './postgres-server.js';
import {
  GIVEN_POSTGRES_VARIABLE,
  NO_POSTGRES_VARIABLE,
  SHARED_POSTGRES_VARIABLE,
} from './shared-server-variable.js';

/**
 * Starts the PostgreSQL that all test files of a run share, unless the environment names one, and tells them its address, or
 * why there is none.
 */
export async function startSharedPostgres(): Promise<Pick<PostgresServer, 'dispose'>> {
  const nothing = { dispose: async (): Promise<void> => undefined };
  const given = process.env[GIVEN_POSTGRES_VARIABLE] ?? '';
  if (given !== '') {
    process.env[SHARED_POSTGRES_VARIABLE] = given;
    return nothing;
  }
  try {
    const server = await startPostgresServer();
    process.env[SHARED_POSTGRES_VARIABLE] = server.url;
    return server;
  } catch (error) {
    process.env[NO_POSTGRES_VARIABLE] = error instanceof Error ? error.message : String(error);
    return nothing;
  }
}
