import { Client } from '@temporalio/client';
import {
  InternalConnectionOptionsSymbol,
  type InternalConnectionOptions,
} from '@temporalio/client/lib/connection.js';
import { msToTs } from '@temporalio/common/lib/time.js';
import { TimeSkippingWorkflowClient } from '@temporalio/testing';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { TemporalUnreachable } from '../../engine/connection-errors.js';
import { definedOnly, type ConnectionSettings } from '../../engine/connection.js';
import type { ConnectedWorkerClient } from '../../engine/native-connection.js';

/** A connection to a server whose clock is ours. */
export interface TimeSkippingLink extends ConnectedWorkerClient {
  /** Lets time pass on the server, at once. What is due meanwhile happens. */
  sleep(ms: number): Promise<void>;
}

/** The server's clock runs ahead while a result is waited for, and goes as it does in the world at all other times. */
class TimeSkippingClient extends Client {
  override readonly workflow: TimeSkippingWorkflowClient;

  constructor(connection: NativeConnection, namespace: string) {
    super({ connection, namespace });
    this.workflow = new TimeSkippingWorkflowClient({ connection, namespace });
  }
}

/**
 * Connects to a time-skipping server. Its clock is stopped from running ahead until somebody waits for a result.
 *
 * @throws {@link TemporalUnreachable}
 */
export async function connectTimeSkipping(settings: ConnectionSettings): Promise<TimeSkippingLink> {
  const { address, namespace, credentials } = settings;
  // The SDK's own testing package connects in this way.
  const options: NativeConnectionOptions & InternalConnectionOptions = {
    ...definedOnly(credentials),
    address,
    [InternalConnectionOptionsSymbol]: { supportsTestService: true },
  };
  const connection = await NativeConnection.connect(options).catch((error: unknown) => {
    throw new TemporalUnreachable(address, namespace, error);
  });
  const { testService } = connection;
  if (testService === undefined) throw new TypeError('the connection was made with that service');
  try {
    await testService.lockTimeSkipping({});
  } catch (error) {
    await connection.close();
    throw new TemporalUnreachable(address, namespace, error);
  }
  return {
    connection,
    client: new TimeSkippingClient(connection, namespace),
    settings,
    sleep: async (ms) => {
      await testService.unlockTimeSkippingWithSleep({ duration: msToTs(ms) });
    },
    close: async () => {
      // Another engine may use the same server.
      await testService.unlockTimeSkipping({}).catch(() => undefined);
      await connection.close();
    },
  };
}
