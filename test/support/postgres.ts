import { afterEach, beforeEach, describe, it } from '@jest/globals';
import pg from 'pg';
import { ulid } from 'ulid';
import { startPostgresServer, type PostgresServer } from './postgres-server.js';
import { NO_POSTGRES_VARIABLE, SHARED_POSTGRES_VARIABLE } from './shared-server-variable.js';

/**
 * Tests that need a PostgreSQL. Where there is none they are skipped, and their name says why; in CI, which promises to have one,
 * they fail.
 */
export function describePostgres(name: string, body: () => void): void {
  if (process.env[SHARED_POSTGRES_VARIABLE] !== undefined) {
    describe(name, body);
    return;
  }
  const reason = process.env[NO_POSTGRES_VARIABLE] ?? 'run the tests through jest.config.js';
  if ((process.env['CI'] ?? '') === '') {
    describe.skip(`${name} (skipped, no PostgreSQL: ${reason})`, body);
    return;
  }
  describe(name, () => {
    it('has a PostgreSQL to run on', () => {
      throw new Error(reason);
    });
  });
}

/** An empty database. */
export interface PostgresDatabase {
  readonly url: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/** Makes an empty database on the shared server. */
export async function createPostgresDatabase(): Promise<PostgresDatabase> {
  const server = process.env[SHARED_POSTGRES_VARIABLE];
  if (server === undefined)
    throw new Error('There is no PostgreSQL: declare the tests with describePostgres()');
  const name = `test_${ulid().toLowerCase()}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  // The quickest way where nothing is forced to the disk.
  await execute(server, `create database ${name} strategy file_copy`);
  return {
    url: url.href,
    drop: () => execute(server, `drop database if exists ${name} with (force)`),
  };
}

/** Gives each test an empty database of its own, removed after it. Call it at the top of a `describePostgres`. */
export function usePostgresDatabase(): { readonly url: string } {
  let current: PostgresDatabase | undefined;
  beforeEach(async () => {
    current = await createPostgresDatabase();
  });
  afterEach(async () => {
    await current?.drop();
    current = undefined;
  });
  return {
    get url() {
      if (current === undefined)
        throw new Error('usePostgresDatabase() is ready inside of hooks and tests');
      return current.url;
    },
  };
}

/** A PostgreSQL that only this test uses, and may stop and start again. Dispose of it at the end. */
export async function startOwnPostgres(): Promise<PostgresServer> {
  return startPostgresServer();
}

/** Runs a statement over a connection of its own. */
export async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
