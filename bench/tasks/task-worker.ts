import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger, type NativeConnection, type Worker } from '@temporalio/worker';
import pino from 'pino';
import type { EventBridge } from '../../adapters/event/event-bridge.js';
import { DeployedCode } from '../../engine/deployed-code.js';
import { buildRegistry } from '../../engine/registry.js';
import { NO_SERVICES } from '../../src/pipeline/context.js';
import { createTemporalWorker } from '../../worker/temporal-worker.js';
import { workflowBundle } from '../../worker/workflow-bundle.js';
import { TASKS } from './definitions.js';

/** The tasks that are measured, compiled. */
export function benchCode(): DeployedCode {
  const { registry, problems } = buildRegistry({
    operations: [],
    pipelines: [],
    workflows: [],
    tasks: TASKS.map((definition) => ({ definition, locate: () => undefined })),
    models: new Map(),
    readFile: () => undefined,
  });
  if (registry === undefined) throw new Error(JSON.stringify(problems));
  return new DeployedCode(registry);
}

/** A worker that runs them on a task queue. Without a bridge it publishes no events. */
export async function startTaskWorker(
  connection: NativeConnection,
  code: DeployedCode,
  { taskQueue, events }: { readonly taskQueue: string; readonly events?: EventBridge },
): Promise<Worker> {
  return createTemporalWorker({
    connection,
    namespace: 'default',
    taskQueue,
    workflowBundle: await workflowBundle({
      files: [],
      cacheDir: join(tmpdir(), 'millrace-bench'),
      logger: new DefaultLogger('ERROR'),
    }),
    code,
    services: NO_SERVICES,
    log: pino({ level: 'silent' }),
    ...(events !== undefined && { events }),
  });
}
