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

/**
 * Starts a Temporal server that suggests to continue as new after few events, and not after 4,096. For the tests of one file:
 * call it at its top.
 *
 * @param events - of a history, after which it is suggested
 */
export function useContinuingTemporal(events: number): TestTemporal {
  let child: ChildProcess | undefined;
  const connect = async (): Promise<TestTemporal> => {
    const [cli, port] = [await findTemporalCli(), await findFreePort(HOST, 0)];
    child = spawn(
      cli.path,
      [
        ...['server', 'start-dev', '--headless', '--log-level', 'error'],
        ...['--ip', HOST, '--port', String(port), '--namespace', TEST_NAMESPACE],
        ...['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${String(events)}`],
      ],
      { stdio: 'ignore' },
    );
    Runtime.install({ logger: testLogger, shutdownSignals: [] });
    const address = `${HOST}:${String(port)}`;
    return until(async () => connectTemporal(address).catch(() => undefined), 30_000);
  };
  return useConnection(connect, () => {
    child?.kill('SIGKILL');
  });
}
