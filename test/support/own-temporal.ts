import { afterAll, beforeAll } from '@jest/globals';
import { Runtime } from '@temporalio/worker';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer, type DevServer } from '../../engine/dev-server/dev-server.js';
import { connectTemporal, TEST_NAMESPACE, testLogger, type TestTemporal } from './temporal.js';

/** A Temporal server that belongs to one test file, which may do to it what it likes. */
export interface OwnTemporal extends TestTemporal {
  /** Ends the server's process without a word. */
  kill(): Promise<void>;
  /** Stops the process from running, so that it neither answers nor closes its connections; or lets it go on. */
  freeze(frozen: boolean): void;
  /** Starts it again after {@link OwnTemporal.kill}, on the same port and database file. */
  restart(): Promise<void>;
}

/** Starts a server with a database file for the tests of a file, and connects to it. Call it at the top of the file. */
export function useOwnTemporal(): OwnTemporal {
  let dir = '';
  let server: DevServer | undefined;
  let opened: Omit<TestTemporal, 'address' | 'namespace'> | undefined;
  const start = async (port: number): Promise<DevServer> =>
    startDevServer({ port, uiPort: false, databaseFile: join(dir, 'temporal.db') });
  const current = (): NonNullable<typeof opened> & { readonly server: DevServer } => {
    if (server === undefined || opened === undefined)
      throw new Error('useOwnTemporal() is ready inside of hooks and tests');
    return { server, ...opened };
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'millrace-own-temporal-'));
    server = await start(0);
    Runtime.install({
      logger: testLogger,
      shutdownSignals: [],
      // That the server is away is what these tests are about.
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    });
    opened = await connectTemporal(server.address);
  }, 60_000);
  afterAll(async () => {
    await opened?.connection.close();
    await opened?.nativeConnection.close();
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);
  return {
    namespace: TEST_NAMESPACE,
    get address() {
      return current().server.address;
    },
    get connection() {
      return current().connection;
    },
    get nativeConnection() {
      return current().nativeConnection;
    },
    get client() {
      return current().client;
    },
    kill: async () => {
      const killed = current().server;
      process.kill(killed.pid, 'SIGKILL');
      await killed.exited;
      // Gives its database file free.
      await killed.stop();
    },
    freeze: (frozen) => {
      process.kill(current().server.pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    restart: async () => {
      server = await start(Number(current().server.address.split(':').at(-1)));
    },
  };
}
