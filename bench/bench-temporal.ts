import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { startDevServer } from '../engine/dev-server/dev-server.js';

/** A server of a benchmark's own, and a client on the connection that its workers use. */
export interface BenchTemporal {
  readonly connection: NativeConnection;
  readonly client: Client;
  stop(): Promise<void>;
}

/** Starts a dev server in memory, for benchmarks whose workers and clients are in one process. */
export async function startBenchTemporal(): Promise<BenchTemporal> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const server = await startDevServer({ port: 0, uiPort: false });
  const connection = await NativeConnection.connect({ address: server.address });
  return {
    connection,
    client: new Client({ connection }),
    stop: async () => {
      await connection.close();
      await server.stop();
    },
  };
}
