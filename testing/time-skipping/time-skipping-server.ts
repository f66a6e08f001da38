import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../engine/dev-server/free-port.js';
import { ServerProcess } from '../../engine/dev-server/server-process.js';
import type { TestServer } from '../test-server.js';
import { findTestServer, namedProgram } from './test-server-program.js';

/** The only namespace that such a server has. */
const NAMESPACE = 'default';

const LOOPBACK = '127.0.0.1';

/** How a time-skipping server is started. */
export interface TimeSkippingServerOptions {
  /** Where `MILLRACE_TIME_SKIPPING_SERVER`, PATH and proxies are read from. */
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (message: string) => void;
  /** Millrace's folder in the user's cache unless set. */
  readonly cacheDir?: string;
}

/**
 * Starts Temporal's time-skipping test server, or takes the one that `MILLRACE_TIME_SKIPPING_SERVER` names. It ends with this process at
 * the latest.
 *
 * @throws {@link TimeSkippingServerUnavailable}, {@link DevServerStartFailed}
 */
export async function startTimeSkippingServer(
  options: TimeSkippingServerOptions,
): Promise<TestServer> {
  const { env } = options;
  const named = env['MILLRACE_TIME_SKIPPING_SERVER'] ?? '';
  if (/^[^/\\*]+:\d+$/.test(named))
    return { address: named, namespace: NAMESPACE, stop: () => Promise.resolve() };
  const { executable, args } = named === '' ? await findTestServer(options) : namedProgram(named);
  const port = await findFreePort(LOOPBACK, 0);
  const server = await ServerProcess.start({
    executable,
    args: [...args, String(port), '--enable-time-skipping'],
    env,
    logFile: join(tmpdir(), `millrace-time-skipping-${String(process.pid)}-${String(port)}.log`),
    isLogTemporary: true,
  });
  const address = `${LOOPBACK}:${String(port)}`;
  try {
    await server.untilReady(address, NAMESPACE);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { address, namespace: NAMESPACE, stop: () => server.stop() };
}
