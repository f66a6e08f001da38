import { Runtime } from '@temporalio/worker';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevServer, type DevServer } from '../../engine/dev-server/dev-server.js';
import { connectTemporal, testLogger, useConnection, type TestTemporal } from './temporal.js';

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
  const start = async (port: number): Promise<DevServer> =>
    startDevServer({ port, uiPort: false, databaseFile: join(dir, 'temporal.db') });
  const running = (): DevServer => {
    if (server === undefined) throw new Error('the server is there inside of hooks and tests');
    return server;
  };
  const connect = async (): Promise<TestTemporal> => {
    dir = await mkdtemp(join(tmpdir(), 'millrace-own-temporal-'));
    server = await start(0);
    Runtime.install({
      logger: testLogger,
      shutdownSignals: [],
      // That the server is away is what these tests are about.
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } },
    });
    return connectTemporal(server.address);
  };
  const temporal = useConnection(connect, async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return Object.assign(temporal, {
    kill: async () => {
      const killed = running();
      process.kill(killed.pid, 'SIGKILL');
      await killed.exited;
      // Gives its database file free.
      await killed.stop();
    },
    freeze: (frozen: boolean) => {
      process.kill(running().pid, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    restart: async () => {
      // On the same port, where its clients look for it.
      server = await start(Number(running().address.split(':').at(-1)));
    },
  });
}
