import type { Command } from 'commander';
import type { Logger } from 'pino';
import { connectEngine, type ConnectedEngine } from '../../engine/create-engine.js';
import type { Project } from '../../engine/project/load-project.js';
import type { HttpServer } from '../../server/http-listener.js';
import { startHttpServer } from '../../server/http-server.js';
import { EXIT } from '../exit-code.js';
import { aborted, onInterruption } from '../interruption.js';
import {
  addListenOptions,
  lacksRoutes,
  NO_ROUTES,
  portOf,
  type ListenOptions,
} from '../listen-options.js';
import { createLogger } from '../logger.js';
import { projectDir, requireProject } from '../project.js';
import type { WorkerProcess } from '../worker-process.js';

const EXAMPLES = `
Uses the Temporal server of TEMPORAL_ADDRESS, temporal.toml or millrace.config.ts, else that of the \`millrace dev\` that
runs in the folder. Starts and watches runs; workers (\`millrace worker\`) execute them. With MILLRACE_WORKER_ENABLED=true,
or \`worker.enabled\`, it is one of them.

On SIGTERM or Ctrl-C it takes no more requests and ends event streams, whose clients go on with another server; then its
worker, where it has one, stops as \`millrace worker\` does. A second signal ends it at once.

Examples:
  $ TEMPORAL_ADDRESS=temporal.internal:7233 millrace server --host 0.0.0.0 --port 8080
  $ TEMPORAL_ADDRESS=temporal.internal:7233 MILLRACE_WORKER_ENABLED=true millrace server
`;

/** Adds `server`: the HTTP API on a Temporal server that is there already. */
export function addServerCommand(program: Command): void {
  const command = program
    .command('server')
    .summary('serve the HTTP API on a Temporal server that is there already')
    .description('Serves the HTTP API of the project.')
    .option('-d, --dir <dir>', "the project's folder (default: the working directory)");
  addListenOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (options: ListenOptions & { readonly dir?: string }) => {
      process.exitCode = await serve(projectDir(options.dir), options);
    });
}

async function serve(dir: string, options: ListenOptions): Promise<number> {
  const interruption = onInterruption();
  const { env } = process;
  const project = await requireProject(dir);
  const { config } = project;
  const log = createLogger({ debug: config.debug, env, stream: process.stdout });
  const worker = config.worker.enabled ? await workerProcess(project, log) : undefined;
  let engine: ConnectedEngine | undefined;
  try {
    const running = await worker?.start();
    engine = running?.engine ?? (await connectEngine(project, env));
    const server = await listen(engine, worker, project, { options, log });
    try {
      await Promise.race([aborted(interruption.signal), ...(running ? [running.run()] : [])]);
    } finally {
      log.info('server is stopping');
      await server.stop();
      log.info('server stopped');
    }
    return EXIT.ok;
  } finally {
    try {
      if (worker?.state === 'running')
        log.info('worker is stopping: no more work is taken, operations in progress may finish');
      await worker?.stop();
      if (worker !== undefined) log.info('worker stopped');
    } finally {
      await engine?.close();
      interruption.dispose();
    }
  }
}

/** Loaded where it is wanted: Temporal's native code takes a second, and memory that a server has no use for. */
async function workerProcess(project: Project, log: Logger): Promise<WorkerProcess> {
  const { WorkerProcess: Process } = await import('../worker-process.js');
  return new Process(project, log);
}

async function listen(
  engine: ConnectedEngine,
  worker: WorkerProcess | undefined,
  project: Project,
  { options, log }: { readonly options: ListenOptions; readonly log: Logger },
): Promise<HttpServer> {
  const { config, registry } = project;
  const { insecure, host } = options;
  const server = await startHttpServer(engine, config, {
    port: portOf(options, config),
    insecure,
    log,
    ...(worker !== undefined && { worker }),
    ...(host !== undefined && { host }),
  });
  const { namespace, taskQueue } = engine.temporal;
  log.info(
    {
      url: server.url,
      namespace,
      queue: taskQueue,
      worker: worker !== undefined,
      definitions: [...registry.definitions.keys()],
      ...(registry.dataFlows.size > 0 && { flows: [...registry.dataFlows.keys()] }),
    },
    'server ready',
  );
  if (lacksRoutes(project)) log.warn(NO_ROUTES);
  return server;
}
