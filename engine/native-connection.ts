import { Client } from '@temporalio/client';
import { IllegalStateError } from '@temporalio/common';
import { NativeConnection, Runtime, type Logger } from '@temporalio/worker';
import { connectionError } from './connection-errors.js';
import {
  definedOnly,
  MAX_CONNECT_MS,
  requireNamespace,
  type ConnectedClient,
  type ConnectionSettings,
} from './connection.js';

/** A connection that workers use, and a client on it: runs that the client starts can begin without a round trip. */
export interface ConnectedWorkerClient extends ConnectedClient {
  readonly connection: NativeConnection;
  /** What it is connected to. */
  readonly settings: ConnectionSettings;
}

/**
 * Sets Temporal's runtime of this process up: it logs where we do, and leaves signals to us. Does nothing when there is
 * a runtime already, which then belongs to whoever made it.
 */
export function installRuntime(logger: Logger): void {
  try {
    Runtime.install({
      logger,
      shutdownSignals: [],
      telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
    });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}

/**
 * Connects for a worker. Call {@link installRuntime} first.
 *
 * @throws {@link TemporalUnreachable} when no server answers in time, {@link TemporalRefused}, {@link NamespaceNotFound}
 */
export async function connectWorkerClient(
  settings: ConnectionSettings,
): Promise<ConnectedWorkerClient> {
  const { address, namespace, credentials } = settings;
  const connection = await inTime(
    NativeConnection.connect({ ...definedOnly(credentials), address }),
  ).catch((error: unknown) => {
    throw connectionError(address, namespace, error);
  });
  const client = new Client({ connection, namespace });
  try {
    await requireNamespace(client, address);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return { connection, client, settings, close: () => connection.close() };
}

async function inTime(connecting: Promise<NativeConnection>): Promise<NativeConnection> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it took longer than ${String(MAX_CONNECT_MS / 1000)} s`));
      // Whoever gets it that late has no use for it.
      connecting.then((connection) => connection.close()).catch(() => undefined);
    }, MAX_CONNECT_MS);
  });
  try {
    return await Promise.race([connecting, late]);
  } finally {
    clearTimeout(timer);
  }
}
