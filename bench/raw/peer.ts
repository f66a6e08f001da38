import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import {
  bundleWorkflowCode,
  Worker,
  type Logger,
  type NativeConnection,
  type WorkerOptions,
} from '@temporalio/worker';
import type { Scenario } from '../cells.js';
import { INPUT } from '../steps.js';
import { rawActivities } from './activities.js';

/** What a peer does: one run, started and waited for. */
export interface Peer {
  run(scenario: Scenario): Promise<unknown>;
  stop(): Promise<void>;
}

/** What every peer of the comparison shares. */
export interface Shared {
  readonly connection: NativeConnection;
  /** On the same connection, so that runs start eagerly. */
  readonly client: Client;
  readonly options: Partial<WorkerOptions>;
}

const WORKFLOW_TYPES: Readonly<Record<Scenario, string>> = {
  a: 'rawNothing',
  b: 'rawThreeSteps',
  c: 'rawThreeSteps',
};

/** The workflow code of hand-written peers, bundled once for all of them. */
export async function rawBundle(logger: Logger): Promise<string> {
  const workflowsPath = fileURLToPath(new URL('workflows.js', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger });
  return code;
}

/** A worker and a client as the Temporal SDK's own documentation has them. */
export async function startRawPeer(
  { connection, client, options }: Shared,
  code: string,
  taskQueue: string,
): Promise<Peer> {
  const worker = await Worker.create({
    ...options,
    connection,
    namespace: client.options.namespace,
    taskQueue,
    workflowBundle: { code },
    activities: rawActivities,
  });
  const ended = worker.run();
  return {
    run: (scenario) =>
      client.workflow.execute(WORKFLOW_TYPES[scenario], {
        workflowId: randomUUID(),
        taskQueue,
        args: [INPUT],
        requestEagerStart: true,
      }),
    stop: async () => {
      worker.shutdown();
      await ended;
    },
  };
}
