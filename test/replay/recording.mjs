/** What the recorders of histories share. */
import { spawn } from 'node:child_process';
import { Connection } from '@temporalio/client';
import { findFreePort } from '../../dist/engine/dev-server/free-port.js';
import { findTemporalCli } from '../../dist/engine/dev-server/temporal-cli.js';

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for the end of a run, whatever it is. */
export async function ended(client, workflowId) {
  await client.workflow
    .getHandle(workflowId)
    .result()
    .catch(() => undefined);
}

/** Records the first run of a chain, which continues as new, and the last one. */
export async function recordChain(name, { client, workflowId, record }) {
  const handle = client.workflow.getHandle(workflowId);
  const first = (await handle.describe()).runId;
  await ended(client, workflowId);
  const last = (await handle.describe()).runId;
  if (first === last) throw new Error(`${name} did not continue as new`);
  await record(`${name}-first`, client, workflowId, first);
  await record(`${name}-last`, client, workflowId, last);
}

/** Runs something with a server that suggests early to continue as new. */
export async function onContinuingServer(work) {
  const port = await findFreePort('127.0.0.1', 0);
  const address = `127.0.0.1:${port}`;
  const child = spawn(
    (await findTemporalCli()).path,
    [
      ...['server', 'start-dev', '--headless', '--log-level', 'error', '--port', `${port}`],
      ...['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=9'],
    ],
    { stdio: 'ignore' },
  );
  try {
    for (let tries = 0; tries < 100; tries += 1) {
      await pause(200);
      const connection = await Connection.connect({ address }).catch(() => undefined);
      if (connection === undefined) continue;
      await connection.close();
      break;
    }
    await work(address);
  } finally {
    child.kill('SIGKILL');
  }
}
