import { afterAll, beforeAll } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { ulid } from 'ulid';
import { callInterceptors } from '../../engine/call-interceptors.js';
import type { ConnectedWorkerClient } from '../../engine/native-connection.js';
import { SHARED_SERVER_VARIABLE } from './shared-server-variable.js';

/** The namespace that tests use; queues and workflow ids keep them apart. */
export const TEST_NAMESPACE = 'default';

/** Longest time until a server is there, or has stopped. */
const START_MS = 60_000;

/** Lets warnings and errors through; for workers and for `bundleWorkflowCode`. */
export const testLogger = new DefaultLogger('WARN');

/** What one test file uses to talk to the shared Temporal server. Ready inside of hooks and tests. */
export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly connection: Connection;
  /** For workers, and for a client that starts workflows eagerly. */
  readonly nativeConnection: NativeConnection;
  /** On `connection`. */
  readonly client: Client;
}

/**
 * Connects this test file to the server that the whole run shares and closes everything after its
 * last test. Call it once, at the top of the file or of a `describe`.
 */
export function useTemporal(): TestTemporal {
  return useConnection(connectShared);
}

/**
 * Connects before the tests of a file or a `describe`, and closes the connections after them. What was started for that is stopped
 * last.
 */
export function useConnection(
  connect: () => Promise<TestTemporal>,
  stop: () => Promise<void> | void = () => undefined,
): TestTemporal {
  let opened: TestTemporal | undefined;
  const current = (): TestTemporal => {
    if (opened === undefined)
      throw new Error('Temporal is ready inside of hooks and tests, not while they are declared');
    return opened;
  };
  beforeAll(async () => {
    opened = await connect();
  }, START_MS);
  afterAll(async () => {
    await opened?.connection.close();
    await opened?.nativeConnection.close();
    await stop();
  }, START_MS);
  return {
    namespace: TEST_NAMESPACE,
    get address() {
      return current().address;
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
  };
}

/** A task queue that no other test has, e.g. `orders-01K…`. */
export function uniqueTaskQueue(prefix = 'test'): string {
  return `${prefix}-${ulid()}`;
}

/** Address of the shared server, for tests that start processes of their own. */
export function sharedServerAddress(): string {
  const address = process.env[SHARED_SERVER_VARIABLE];
  if (address === undefined)
    throw new Error(`${SHARED_SERVER_VARIABLE} is not set: run the tests through jest.config.js`);
  return address;
}

/** The file's native connection as a worker takes it: it stays open when the worker stops. */
export function sharedLink({
  address,
  namespace,
  nativeConnection: connection,
}: TestTemporal): ConnectedWorkerClient {
  return {
    connection,
    client: new Client({ connection, namespace }),
    settings: { address, namespace, credentials: {} },
    close: () => Promise.resolve(),
  };
}

async function connectShared(): Promise<TestTemporal> {
  // Each test file has module instances of its own, so none has installed a runtime before.
  Runtime.install({ logger: testLogger, shutdownSignals: [] });
  return connectTemporal(sharedServerAddress());
}

/** Opens what a test file uses, at a server that may be its own. The runtime has to be installed before. */
export async function connectTemporal(address: string): Promise<TestTemporal> {
  const connection = await Connection.connect({ address, interceptors: callInterceptors() });
  const nativeConnection = await NativeConnection.connect({ address });
  const client = new Client({ connection, namespace: TEST_NAMESPACE });
  return { address, namespace: TEST_NAMESPACE, connection, nativeConnection, client };
}
