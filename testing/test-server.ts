import { startDevServer, type DevServer } from '../engine/dev-server/dev-server.js';
import { startTimeSkippingServer } from './time-skipping/time-skipping-server.js';

/** How a test's Temporal server is started. */
export interface TestServerOptions {
  /** `dev` unless set; `time-skipping`: one whose clock can run ahead. */
  readonly server?: 'dev' | 'time-skipping';
  /** Created where it does not exist. Default: `default`. */
  readonly namespace?: string;
  /** Port of the Temporal UI, 0 for any free one. Default: false, no UI. */
  readonly uiPort?: number | false;
  /** Told what is done when the Temporal CLI has to be fetched first, which takes a while. Default: standard error. */
  readonly onProgress?: (message: string) => void;
  /** Where the programs of servers are looked for; that of the process unless set. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A Temporal server that runs in memory. */
export type TestServer = Pick<DevServer, 'address' | 'namespace' | 'uiUrl' | 'stop'>;

/**
 * Starts Temporal's dev server as `millrace dev` does, in memory and on a free port. Set `TEMPORAL_ADDRESS` to its
 * address, and every `createTestEngine` uses it: one server for all files of a test run. For a time-skipping one that
 * variable is `MILLRACE_TIME_SKIPPING_SERVER`.
 *
 * @throws {@link DevServerUnavailable} when there is no Temporal CLI and none can be had, {@link TimeSkippingServerUnavailable},
 *   {@link DevServerStartFailed}
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { server = 'dev', namespace, uiPort = false, onProgress = toStandardError } = options;
  const { env = process.env } = options;
  if (server === 'time-skipping') return startTimeSkippingServer({ env, onProgress });
  return startDevServer({
    port: 0,
    uiPort,
    env,
    onProgress,
    ...(namespace !== undefined && { namespace }),
  });
}

function toStandardError(message: string): void {
  process.stderr.write(`${message}\n`);
}
