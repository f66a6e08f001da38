import { DeployedCode } from '../../engine/deployed-code.js';
import { Engine } from '../../engine/engine.js';
import { buildRegistry } from '../../engine/registry.js';
import { startHttpServer } from '../../server/http-server.js';
import { parseConfig, type ProjectConfig } from '../../src/config/project-config.js';
import { NO_SERVICES } from '../../src/pipeline/context.js';
import { DefinitionError } from '../../src/definition/problem.js';
import { temporalLogger } from '../../worker/temporal-logger.js';
import { createTemporalWorker } from '../../worker/temporal-worker.js';
import { workflowBundle } from '../../worker/workflow-bundle.js';
import type { Logger } from 'pino';
import type { Peer, Shared } from '../raw/peer.js';
import { INPUT } from '../steps.js';
import { EVENTS_PIPELINE, OPERATIONS, PIPELINE_NAMES, PIPELINES } from './definitions.js';

/** What Millrace needs beside what every peer shares. */
export interface MillracePeerOptions extends Shared {
  readonly log: Logger;
  readonly taskQueue: string;
  /** Where bundles of workflow code are kept. */
  readonly cacheDir: string;
}

/** Millrace as `millrace dev` has it: engine, worker and HTTP server in one process. */
export interface MillracePeer extends Peer {
  /** Base URL of the HTTP server. */
  readonly url: string;
  /** The ids of a run's events, in order. Waits for the run's end. */
  eventIds(executionId: string): Promise<readonly string[]>;
}

/** Starts an engine, a worker and an HTTP server with the benchmark's definitions. */
export async function startMillracePeer(options: MillracePeerOptions): Promise<MillracePeer> {
  const { connection, client, log, taskQueue, cacheDir } = options;
  const code = deployedCode();
  const worker = await createTemporalWorker({
    connection,
    namespace: client.options.namespace,
    taskQueue,
    workflowBundle: await workflowBundle({ files: [], cacheDir, logger: temporalLogger(log) }),
    code,
    services: NO_SERVICES,
    log,
    options: options.options,
  });
  const ended = worker.run();
  const engine = new Engine({ client, taskQueue, code, eagerStart: true });
  const http = await startHttpServer(engine, benchConfig(), { log, port: 0 });
  return {
    url: http.url,
    run: async (scenario) => (await engine.execute(PIPELINE_NAMES[scenario], INPUT)).result,
    eventIds: async (executionId) => {
      const ids: string[] = [];
      for await (const { id } of engine.run(EVENTS_PIPELINE, executionId).events()) {
        if (id !== undefined) ids.push(id);
      }
      return ids;
    },
    stop: async () => {
      await http.stop();
      worker.shutdown();
      await ended;
    },
  };
}

function deployedCode(): DeployedCode {
  const { registry, problems } = buildRegistry({
    operations: OPERATIONS,
    pipelines: PIPELINES.map((definition) => ({ definition, locate: () => definition.site })),
    workflows: [],
    models: new Map(),
    readFile: () => undefined,
  });
  if (registry === undefined) throw new DefinitionError(problems);
  return new DeployedCode(registry);
}

function benchConfig(): ProjectConfig {
  const { config, problems } = parseConfig({ catchAllRoutes: true });
  if (config === undefined) throw new DefinitionError(problems);
  return config;
}
