import { Runtime } from '@temporalio/worker';
import { spawn, type ChildProcess } from 'node:child_process';
import { findFreePort } from '../../engine/dev-server/free-port.js';
import { findTemporalCli } from '../../engine/dev-server/temporal-cli.js';
import {
  connectTemporal,
  TEST_NAMESPACE,
  testLogger,
  useConnection,
  type TestTemporal,
} from './temporal.js';
import { until } from './until.js';

const HOST = '127.0.0.1';

/** Another process may take a port that was free a moment ago; the server ends then. */
const TRIES = 3;

/**
 * Starts a Temporal server that suggests to continue as new after few events, and not after 4,096. For the tests of one file:
 * call it at its top.
 *
 * @param events - of a history, after which it is suggested
 */
export function useContinuingTemporal(events: number): TestTemporal {
  let child: ChildProcess | undefined;
  const connect = async (): Promise<TestTemporal> => {
    const cli = await findTemporalCli();
    Runtime.install({ logger: testLogger, shutdownSignals: [] });
    for (let tries = 0; tries < TRIES; tries += 1) {
      const port = await findFreePort(HOST, 0);
      const server = startServer(cli.path, port, events);
      child = server;
      const address = `${HOST}:${String(port)}`;
      const connected = await until(
        async () =>
          (await connectTemporal(address).catch(() => undefined)) ??
          (server.exitCode === null ? undefined : ('ended' as const)),
        30_000,
      );
      if (connected !== 'ended') return connected;
    }
    throw new Error(`no server could be started in ${String(TRIES)} tries`);
  };
  return useConnection(connect, () => {
    child?.kill('SIGKILL');
  });
}

function startServer(path: string, port: number, events: number): ChildProcess {
  return spawn(
    path,
    [
      ...['server', 'start-dev', '--headless', '--log-level', 'error'],
      ...['--ip', HOST, '--port', String(port), '--namespace', TEST_NAMESPACE],
      ...['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${String(events)}`],
    ],
    { stdio: 'ignore' },
  );
}
