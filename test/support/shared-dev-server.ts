import { startDevServer, type DevServer } from '../../engine/dev-server/dev-server.js';
import { SHARED_SERVER_VARIABLE } from './shared-server-variable.js';

/** Starts the in-memory server that all test files of a run share, and tells them its address. */
export async function startSharedDevServer(): Promise<DevServer> {
  const server = await startDevServer({
    port: 0,
    uiPort: false,
    onProgress: (message) => {
      process.stderr.write(`${message}\n`);
    },
  });
  process.env[SHARED_SERVER_VARIABLE] = server.address;
  return server;
}
