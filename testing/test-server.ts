import { startDevServer, type DevServer } from '../engine/dev-server/dev-server.js';

/** How a test's Temporal server is started. */
export interface TestServerOptions {
  /** Created where it does not exist. Default: `default`. */
  readonly namespace?: string;
  /** Port of the Temporal UI, 0 for any free one. Default: false, no UI. */
  readonly uiPort?: number | false;
  /** Told what is done when the Temporal CLI has to be fetched first, which takes a while. Default: standard error. */
  readonly onProgress?: (message: string) => void;
}

/** A Temporal server that runs in memory. */
export type TestServer = Pick<DevServer, 'address' | 'namespace' | 'uiUrl' | 'stop'>;

/**
 * Starts Temporal's dev server as `millrace dev` does, in memory and on a free port. Set `TEMPORAL_ADDRESS` to its
 * address, and every `createTestEnvironment` uses it: one server for all files of a test run.
 *
 * @throws {@link DevServerUnavailable} when there is no Temporal CLI and none can be had, {@link DevServerStartFailed}
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { namespace, uiPort = false, onProgress = toStandardError } = options;
  return startDevServer({
    port: 0,
    uiPort,
    onProgress,
    ...(namespace !== undefined && { namespace }),
  });
}

function toStandardError(message: string): void {
  process.stderr.write(`${message}\n`);
}
